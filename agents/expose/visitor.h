/*
 * visitor: one connection of a door: TLS on one side, plain bytes on the other, half-close kept.
 * The loop's thread.
 */
#pragma once

#include "agents/loop.h"

#include "lib/tls_server.h"

#include <stdbool.h>
#include <sys/socket.h>

struct visitor {
	struct visitor *next; /* of its door */
};

struct visitor_options {
	struct loop *loop;
	struct tls_server *server; /* kept until the handshake is over */
	const struct sockaddr_storage *target;
	socklen_t target_len;
	void *context;
	void (*ended)(void *context, struct visitor *visitor); /* destroys it */
};

/* Takes `fd`, which does not block. */
struct visitor *visitor_create(int fd, const struct visitor_options *options);
void visitor_destroy(struct visitor *visitor);

bool visitor_shakes_hands(const struct visitor *visitor);
