/*
 * visits: the streams of a tunnel and the local connections that they are carried to. Bounded by
 * credit in both directions (lib/mux.h): a local service that takes nothing holds its visitor only.
 * The loop's thread.
 */
#pragma once

#include "agents/loop.h"
#include "agents/tunnel/uplink.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct visits;

/* A local service. */
struct visits_target {
	struct sockaddr_storage address;
	socklen_t len; /* 0: there is none */
};

struct visits_options {
	struct loop *loop;
	struct uplink *uplink;
	const struct visits_target *tls, *http;
	void *context;
	void (*wrote)(void *context); /* frames wait for uplink_flush */
};

/* All of it is kept. */
struct visits *visits_create(const struct visits_options *options);
void visits_destroy(struct visits *visits); /* closes all connections; NULL is fine */

/* What the node says; false: it breaks the protocol. */
bool visits_take(struct visits *visits, const struct mux_frame *frame);

/* The uplink has room again. */
void visits_resume(struct visits *visits);

struct visits_figures {
	unsigned n_streams;
	uint64_t n_visitors, received, sent; /* since it was created */
};
void visits_figures(const struct visits *visits, struct visits_figures *figures);
