/*
 * locate: on which other node the device is that holds a name. dns is asked whose the name is, and
 * rendezvous where its link is; answers are kept for a while, and forgotten when the name changes.
 * The loop's thread; the calls run in a thread of its pool.
 */
#pragma once

#include "dataplane/tunnel/hello.h"
#include "lib/err.h"
#include "lib/uuid.h"

#include <stdbool.h>

struct dataplane;
struct locator;

/* A link elsewhere. */
struct location {
	char tenant[UUID_SIZE], node[UUID_SIZE], connection[UUID_SIZE];
};

/* `location` NULL: there is none, or it can't be found out just now. */
typedef void locate_done(
	struct dataplane *dataplane, const char *visitor, const struct location *location);

struct locator *locator_create(struct dataplane *dataplane); /* keeps it */
void locator_destroy(struct locator *locator);		     /* NULL is fine */

/* Asks for the visitor with that id; `done` comes now or later. False: too many are asked about
 * just now, and it does not come. */
bool locate(struct locator *locator, const char *name, const char *visitor,
	locate_done *done) MUST_CHECK;

/* The name has changed, or its link was not where it was said to be. */
void locate_forget(struct locator *locator, const char *name);
