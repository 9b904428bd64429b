/*
 * svc: the shape that every process shares: settings, log, bus, discovery, ops port, events, tasks,
 * and a clean stop. A process's main.c holds its tables and ends with svc_main.
 */
#pragma once

#include "lib/arguments.h"
#include "lib/bus.h"
#include "lib/call.h"
#include "lib/config.h"
#include "lib/db.h"
#include "lib/event.h"

struct svc;

/* Something done again and again in the background, in one instance of the service at a time, in a
 * transaction with tenant CALL_FLEET. */
struct svc_task {
	const char *name; /* NULL ends the table */
	int every_s;
	err_t (*run)(struct call *call);
};

struct svc_definition {
	const char *name;    /* one word: folder, binary lanyard-NAME, log field, proto package */
	const char *summary; /* first line of --help */
	const struct config_entry *config; /* own settings; may be NULL */
	const struct argument *arguments;  /* options that stand for settings; may be NULL */
	ProtobufCService *const
		*services;  /* what it answers on the bus, NULL-terminated; or NULL */
	const char *schema; /* its schema in PostgreSQL; NULL: it keeps no state */
	/* Once it has reached PostgreSQL, it is ready while that is away: it goes on with what it
	 * has, and the world comes to it. All of its kind would be taken out at the same time. */
	bool outlasts_database;
	const struct event_route *events; /* or NULL */
	const struct svc_task *tasks;	  /* or NULL; needs a schema */
	/* Runs each time before rows of call->tenant, which is gone, are erased from the schema
	 * (lib/erasure): for what those rows alone don't tell. May be NULL. */
	err_t (*erase)(struct call *call);
	/* Runs after the command line and before the settings are read: may set variables that are
	 * not set yet. May be NULL. */
	err_t (*prepare)(struct fault *fault);
	/* Looks at its own settings after they were read, also for --check: with an error, `fault`
	 * names the setting and what was expected. May be NULL. */
	err_t (*check)(struct fault *fault);
	/* Runs when settings, bus and (for a service with a schema) PostgreSQL are there, before
	 * the process is ready; an error ends the process. May be NULL. */
	err_t (*start)(struct svc *svc);
	/* Runs first when the process is told to stop, while all goes on: returns when others have
	 * taken over what they can, within `drain_s`. Both may be NULL. */
	void (*drain)(struct svc *svc);
	const long *drain_s;
	/* Runs when no event, task or call of others comes any more: accept nothing new, and return
	 * when what was accepted is done. Must return within the drain time. May be NULL. */
	void (*stop)(struct svc *svc);
};

/* Runs the process: --help, --check, --version, then until SIGTERM or SIGINT. Returns the exit
 * status: 0 after a clean stop, 1 when it could not start, 2 for wrong usage or settings. */
int svc_main(const struct svc_definition *definition, int argc, char **argv);

struct bus *svc_bus(struct svc *svc);
const char *svc_instance(struct svc *svc); /* UUID of this run of the process */
const char *svc_database_url(struct svc *svc);

/* A connection of its own outside of calls, e.g. for svc's start; the caller destroys it. */
struct db *svc_db_create(struct svc *svc);

/* /readyz answers 503 with `reason` until it is set to NULL; one slot for each `part` (static
 * text). */
void svc_ready(struct svc *svc, const char *part, const char *reason);
