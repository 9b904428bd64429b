/*
 * identity: the certificates that the node shows and those of clients that it believes, from
 * settings. The files are read again when they change; open connections go on. The loop's thread.
 */
#pragma once

#include "lib/err.h"

#include <stdbool.h>
#include <uv.h>

struct identity;
struct tls_server;

struct identity_settings {
	const char *certs, *keys; /* lists of PEM files, separated by commas; "": no TLS */
	const char *chain;	  /* PEM file that follows the first certificate; NULL: none */
	const char *clients;	  /* PEM file of authorities that sign clients'; "": none */
	bool clients_required;
};

/* Checks the settings and reads the files. */
err_t identity_open(struct identity **out, const struct identity_settings *settings,
	struct fault *fault) MUST_CHECK;

/* For listeners and streams; NULL: no TLS. */
struct tls_server *identity_tls(const struct identity *identity);

/* Begins to look at the files, and ends it. */
void identity_watch(struct identity *identity, uv_loop_t *loop);
void identity_unwatch(struct identity *identity);

/* After the loop has ended, from any thread. NULL is fine. */
void identity_destroy(struct identity *identity);
