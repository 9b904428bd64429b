/*
 * pair_wire: the connection to a rendezvous server that lanyard pair speaks on: WebSocket or a
 * stream, with TLS or without. One thread; nothing blocks after pair_wire_open.
 */
#pragma once

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAIR_WIRE_MAX (1024 * 1024) /* bytes of a message, or of what is received at once */

struct pair_wire;

/* Connects to wss://, ws://, ssl:// or tcp://; `ca_pem` NULL: the system's certificates. */
err_t pair_wire_open(struct pair_wire **out, const char *url, const char *ca_pem,
	struct fault *fault) MUST_CHECK;
void pair_wire_close(struct pair_wire *wire); /* NULL is fine */

int pair_wire_fd(const struct pair_wire *wire);
bool pair_wire_is_message(const struct pair_wire *wire); /* WebSocket: text only */

/* Sends, as one text message on a WebSocket; what the kernel does not take is kept until
 * pair_wire_flush. */
void pair_wire_send(struct pair_wire *wire, const void *data, size_t len);

/* True: all is with the kernel. */
bool pair_wire_flush(struct pair_wire *wire);

/* Says that nothing more will be sent: half-closes a stream, closes a WebSocket. */
void pair_wire_end(struct pair_wire *wire);

/* The next bytes, or message, valid until the next call; 0: nothing for now; -1: it is over, and
 * `why` says how (static or the wire's). */
ssize_t pair_wire_receive(struct pair_wire *wire, const uint8_t **data, const char **why);
