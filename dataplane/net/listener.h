/*
 * listener: a listening socket, whose connections become streams. Out of descriptors it closes its
 * door for a moment. Connections from proxies begin with a header that tells whose they are
 * (proxy_protocol.h). The loop's thread.
 */
#pragma once

#include "dataplane/net/door.h"
#include "dataplane/net/proxies.h"
#include "dataplane/net/stream.h"
#include "lib/err.h"

#include <uv.h>

struct listener;

struct listener_options {
	uv_loop_t *loop;
	struct door door;
	struct streams *streams;
	struct tls_server *tls;	       /* NULL: none; kept */
	const struct proxies *proxies; /* NULL: none; kept */
	/* Has to give the stream a face. */
	void (*accepted)(void *context, struct stream *stream);
	void *context;
};

/* Binds and listens. Errors are logged. */
err_t listener_open(struct listener **out, const struct listener_options *options) MUST_CHECK;

/* The port that it listens on; 0 for a unix socket. */
unsigned listener_port(const struct listener *listener);

/* Stops accepting; frees itself when the loop has closed its handles. NULL is fine. */
void listener_close(struct listener *listener);
