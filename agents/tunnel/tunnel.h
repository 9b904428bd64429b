/*
 * tunnel: the device's end of its name's tunnel (docs/tunnel.md): one WebSocket to a node, on which
 * the visitors of the name come as streams; each is carried to a local service, as bytes that are
 * never looked at. Connects, and connects again until it is destroyed. The loop's thread.
 */
#pragma once

#include "agents/fetch.h"
#include "agents/loop.h"

#include "lib/congestion.h"
#include "lib/err.h"
#include "lib/tls.h"

#include <stdbool.h>
#include <stdint.h>

#define TUNNEL_PATH "/tunnel" /* of a node's URL */

struct tunnel;

enum tunnel_state {
	TUNNEL_CONNECTING, /* tries, or waits until it tries again */
	TUNNEL_OPEN,	   /* visitors reach the device */
	TUNNEL_REFUSED,	   /* the token opens nothing now, or another holder of it took the tunnel
			      over: tried again, rarely */
};

struct tunnel_options {
	struct loop *loop;
	struct fetcher *fetcher;
	struct tls_trust *trust; /* of the node */
	struct congestion *congestion;
	const char *url;	 /* wss://HOST:PORT/tunnel, or ws:// */
	const char *token;	 /* of the registered name */
	const char *target;	 /* who serves https: ADDRESS:PORT, or the path of a unix socket */
	const char *http_target; /* who answers ACME's http-01, the same; NULL: nobody */
	bool proxy_protocol;	 /* each stream begins with a PROXY header (v2) that names the
				    visitor */
	void *context;
	/* The state has changed; `why` is a sentence's part for people, "" if there is none. Must
	 * not destroy the tunnel. */
	void (*changed)(void *context, enum tunnel_state state, const char *why);
};

/* What goes on. */
struct tunnel_figures {
	enum tunnel_state state;
	unsigned n_streams;	 /* now */
	uint64_t n_visitors;	 /* since it was created */
	uint64_t received, sent; /* bytes from and to visitors */
	int64_t since_ms;	 /* of the state, clock_ms() */
};

/* Begins to connect. Texts are copied, the rest is kept. ERR_INVALID_ARGUMENT names the option. */
err_t tunnel_create(struct tunnel **tunnel, const struct tunnel_options *options,
	struct fault *fault) MUST_CHECK;

/* Shows another token from now on: connects anew, at once. Also when the token is the same and what
 * refused it may be over. */
void tunnel_set_token(struct tunnel *tunnel, const char *token);

void tunnel_figures(const struct tunnel *tunnel, struct tunnel_figures *figures);

/* Closes link and streams at once. NULL is fine. */
void tunnel_destroy(struct tunnel *tunnel);
