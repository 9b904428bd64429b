/*
 * ops: the port for the operator's tools: /livez, /readyz, /metrics over plain HTTP.
 */
#pragma once

#include "lib/err.h"

struct ops;

/* Listens on "ADDRESS:PORT". `ready` returns NULL when the process can serve, else why it can't; it
 * is called in ops's thread. Errors are logged. */
err_t ops_start(struct ops **out, const char *listen, const char *(*ready)(void *context),
	void *context) MUST_CHECK;
void ops_stop(struct ops *ops); /* NULL is fine */
