/*
 * listener: the listening socket and the options of every connection that it accepts.
 *
 * libwebsockets could listen itself, but when the process is out of descriptors its accept fails
 * again and again without a pause; this one closes its door for a moment. The loop's thread.
 */
#pragma once

#include "dataplane/net/door.h"
#include "lib/err.h"

#include <uv.h>

struct listener;

struct listener_options {
	uv_loop_t *loop;
	struct door door;
	void (*accepted)(void *context, int fd); /* takes the descriptor */
	void *context;
};

/* Binds and listens. Errors are logged. */
err_t listener_open(struct listener **out, const struct listener_options *options) MUST_CHECK;

/* Stops accepting; frees itself when the loop has closed its handles. NULL is fine. */
void listener_close(struct listener *listener);
