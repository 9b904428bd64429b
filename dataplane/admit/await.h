/*
 * await: a request whose network's home is not known here yet, or not reached. It is answered when
 * it is, so that what the client sends from its first frame on comes to all of the network: one
 * that moves from another node loses nothing. The loop's thread.
 */
#pragma once

#include "dataplane/admit/admit.h"

typedef void await_done(
	struct dataplane *dataplane, struct http *http, const struct admitted *admitted);

/* Calls `done`, now or later; not if the client is gone by then. What was admitted is copied. */
void await_home(struct dataplane *dataplane, struct http *http, const struct admitted *admitted,
	await_done *done);
