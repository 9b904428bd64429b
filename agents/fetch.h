/*
 * fetch: libcurl on the loop: requests to the portal over HTTPS, and TCP connections to the
 * dataplane. curl resolves names, tries the addresses of both families as RFC 8305 has it, and goes
 * through proxies: CONNECT of HTTP, and SOCKS5. The only code that sees libcurl.
 */
#pragma once

#include "agents/loop.h"
#include "agents/proxy.h"
#include "agents/url.h"

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

struct fetcher; /* all transfers of a loop */
struct fetch;	/* one of them */

struct fetch_request {
	const char *url;	     /* https:// */
	const char *body;	     /* JSON of a POST; NULL: a GET */
	const char *user, *password; /* Basic; NULL: no authorization */
	const char *bearer;	     /* or this one's */
	const char *idempotency_key; /* or NULL */
	const char *ca_pem;	     /* certificates to trust beside the system's; may be NULL */
	bool fresh;		     /* over a connection of its own, made now */
};

/* How a request ended: an HTTP status and body, or err and a fault that says why there is none. */
struct fetch_reply {
	err_t err;
	unsigned status;
	const char *body; /* "" if there is none */
	size_t len;
	struct fault fault;
};

/* Keeps `proxy`. */
struct fetcher *fetcher_create(struct loop *loop, const struct proxy *proxy);
void fetcher_destroy(struct fetcher *fetcher); /* after all its transfers; NULL is fine */

/* Begins a request; `done` is called once from the loop, not if the fetch is cancelled before. */
struct fetch *fetch_send(struct fetcher *fetcher, const struct fetch_request *request,
	void (*done)(void *context, const struct fetch_reply *reply), void *context);

/* Begins a TCP connection; `done` gets the socket, which is its own from then on, or -1 and a
 * fault. */
struct fetch *fetch_connect(struct fetcher *fetcher, const struct url *url,
	void (*connected)(void *context, int fd, const struct fault *fault), void *context);

/* Ends a transfer without a call; NULL is fine. */
void fetch_cancel(struct fetch *fetch);

/* A POST that blocks, for commands without a loop; the body is malloc'ed into `body`. */
void fetch_post_now(const struct fetch_request *request, const struct proxy *proxy,
	struct fetch_reply *reply, char **body);
