/*
 * wire: the connection to a rendezvous server that lanyard pair speaks on: WebSocket or a
 * stream, with TLS or without. One thread; nothing blocks after wire_open.
 */
#pragma once

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WIRE_MAX (64 * 1024) /* bytes of what is received at once */

struct wire;

struct wire_options {
	const char *url;	   /* wss://, ws://, ssl:// or tcp:// */
	const char *ca_pem;	   /* certificates to trust beside the system's; may be NULL */
	const char *authorization; /* of the WebSocket's request; NULL: none */
};

/* Within 10 seconds, or it is given up. */
err_t wire_open(
	struct wire **out, const struct wire_options *options, struct fault *fault) MUST_CHECK;
void wire_close(struct wire *wire); /* NULL is fine */

int wire_fd(const struct wire *wire);
bool wire_is_message(const struct wire *wire); /* a WebSocket */
bool wire_is_text(const struct wire *wire);    /* a WebSocket, and not wire_be_binary */

/* What is sent on a WebSocket from now on are binary messages. */
void wire_be_binary(struct wire *wire);

/* Sends, as one message on a WebSocket; what the kernel does not take is kept until
 * wire_flush. */
void wire_send(struct wire *wire, const void *data, size_t len);

/* True: all is with the kernel. */
bool wire_flush(struct wire *wire);

/* Says that nothing more will be sent: half-closes a stream, closes a WebSocket. */
void wire_end(struct wire *wire);

/* The status of the close frame that ended it; 0: there was none. */
unsigned wire_close_status(const struct wire *wire);

/* The next bytes, of a message or of the stream, valid until the next call; 0: nothing for now; -1:
 * it is over, and `why` says how (static or the wire's). */
ssize_t wire_receive(struct wire *wire, const uint8_t **data, const char **why);
