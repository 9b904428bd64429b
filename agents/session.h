/*
 * session: one connection to a node, from the TCP connection to its end: TLS, the WebSocket
 * handshake, frames between it and the TAP, keepalive, close. The loop's thread.
 */
#pragma once

#include "agents/backoff.h"
#include "agents/carrier.h"
#include "agents/fetch.h"
#include "agents/loop.h"
#include "agents/upgrade.h"

#include "lib/congestion.h"
#include "lib/frames/fair.h"
#include "lib/tap.h"

struct session;

struct session_end {
	struct ending ending;
	char why[256];		/* a sentence's part for people */
	char location[URL_MAX]; /* where an END_REFUSED with a status of 300 to 399 points to; else
				   "" */
};

struct session_options {
	struct loop *loop;
	struct fetcher *fetcher;
	struct tls_trust *trust;
	struct congestion *congestion;
	struct tap *tap;
	uint32_t mtu;			/* of the network */
	struct upgrade_request request; /* without its key; its URL is copied, the rest kept */
	bool vpn_ws; /* the server may be vpn-ws, which answers no ping, and hands on any frame */
	void *context;
	/* It uses the interface from now on: no other session may. */
	void (*opened)(void *context, struct session *session);
	/* Called once, unless the session is destroyed before; may destroy it. */
	void (*ended)(void *context, struct session *session, const struct session_end *end);
	/* The node wants another session in the place of this one, within so long. */
	void (*moves)(void *context, uint32_t window_ms);
	/* The interface was taken away: nothing can go on. */
	void (*tap_gone)(void *context);
};

/* Begins to connect. */
struct session *session_create(const struct session_options *options);

/* Ends it as politely as 2 s allow; `ended` follows. */
void session_close(struct session *session);

/* Another one uses the interface now; this one brings what is still on its way from the node. */
void session_retire(struct session *session);

void session_destroy(struct session *session); /* NULL is fine */

bool session_has_l2(const struct session *session); /* once it is open: batches and offload */

/* What waits for the node, and was dropped; NULL before it is open. */
const struct fair *session_queue(const struct session *session);
