/*
 * fabric: this process's row in fabric.instance, and the list of everyone else's for the bus.
 */
#pragma once

#include "lib/bus.h"

struct fabric;

struct fabric_options {
	const char *database_url; /* kept, as all of these */
	const char *service;
	struct bus *bus;
	void *context;
	/* Told of each change: NULL when the last round reached PostgreSQL, else why it did not. */
	void (*state)(void *context, const char *problem);
};

/* Starts the thread that reads the list each second; while PostgreSQL is away the bus keeps the
 * last one. */
struct fabric *fabric_start(const struct fabric_options *options);

/* From now on the heartbeat is written too: this process answers calls. */
void fabric_join(struct fabric *fabric);

/* Removes the own row, so that nobody calls a process that is about to end, and stops the thread.
 * NULL is fine. */
void fabric_stop(struct fabric *fabric);
