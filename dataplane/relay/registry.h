/*
 * registry: asks rendezvous about tunnel servers. The loop's thread; the calls run in a thread of
 * its pool.
 */
#pragma once

#include "lib/err.h"
#include "lib/uuid.h"

#include <stdbool.h>

struct dataplane;

/* All of it is copied. */
struct registry_question {
	const char *tenant, *server;
	const char *name;	/* of a server that registers */
	const char *connection; /* who asks, or registers */
	const char *client; /* UUID of who looks for a server, which may be no server's; or NULL */
	bool replace;	    /* registers in the place of any other connection */
};

struct registry_answer {
	err_t err;
	const char *tenant, *server, *connection; /* of the question */
	const char *node, *found_connection;	  /* where the server is that was looked for */
};

typedef void registry_done(struct dataplane *dataplane, const struct registry_answer *answer);

void registry_register(
	struct dataplane *dataplane, const struct registry_question *question, registry_done *done);
void registry_find(
	struct dataplane *dataplane, const struct registry_question *question, registry_done *done);

/* Says that the server is there; not tried again. `done` may be NULL. */
void registry_announce(
	struct dataplane *dataplane, const struct registry_question *question, registry_done *done);
void registry_release(struct dataplane *dataplane, const char *tenant, const char *server,
	const char *connection);
