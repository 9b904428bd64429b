/*
 * http: the HTTPS server. With http_head, http_tls, http_arrival and http_feed the only code that
 * sees libmicrohttpd.
 *
 * Event threads read requests and write replies; in between the connection is suspended and one of
 * `workers` threads runs `serve`, which may block on the bus. Whatever a client does, its request
 * is bounded: in bytes of target, headers and body, in time from the first byte to the last, and in
 * connections from one address. What the server itself refuses goes through `serve` too, so that
 * each reply has the same form.
 */
#pragma once

#include "gateway/feeds.h"
#include "gateway/headers.h"
#include "gateway/status.h"
#include "lib/call.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

#define HTTP_BODY_MAX	       (64 * 1024) /* bytes of a body */
#define HTTP_TARGET_MAX	       4096	   /* bytes of path and query */
#define HTTP_REPLY_HEADERS_MAX 16
#define HTTP_ORIGIN_LEN	       INET6_ADDRSTRLEN

/* One request, with its call: trace, arena and deadline. Good until `serve` has returned, or until
 * the end of the feed that the reply got, or until `arrived`, or `again` for the last time, has
 * returned. */
struct http_request {
	struct call call;
	enum http_status refused; /* the server itself refuses it, call.fault says why; or 0 */
	const char *method;	  /* HEAD comes as GET */
	bool head;
	const char *target; /* path and query, as sent */
	struct headers headers;
	const char *body;
	size_t body_len;
	const char *origin;		  /* peer_origin of the connection */
	const char *address;		  /* its whole address */
	const unsigned char *certificate; /* of the client (DER), if it was asked for one */
	size_t certificate_len;
};

struct http_header {
	const char *name, *value;
};

/* The reply; all text in it is static or in the request's arena. */
struct http_reply {
	enum http_status status;
	const char *content_type; /* NULL: no body */
	const char *body;
	size_t body_len;
	struct http_header headers[HTTP_REPLY_HEADERS_MAX];
	size_t n_headers;
	struct feed *feed; /* what that sends is the body; or NULL */

	/* For a body that counts only when it was received whole: runs in a worker when the client
	 * has all of it but the last byte, which is kept back until then; unless the result is OK
	 * it is never sent, and the reply is cut short. Or NULL. */
	err_t (*arrived)(struct call *call, void *context);

	/* For a reply that is still to come: runs in a worker again and again, with a moment in
	 * between, until it clears itself: then the rest is filled. It heeds the call's deadline.
	 * Or NULL. */
	void (*again)(void *context);
	void *context; /* of whichever is set; in the request's arena */
};

/* Adds a header, unless the reply has it already and it is no cookie. Both texts are kept. */
void http_reply_add(struct http_reply *reply, const char *name, const char *value);

struct http_options {
	const char *listen;			 /* ADDRESS:PORT */
	const char *certificate_file, *key_file; /* PEM; NULL: without TLS */
	bool ask_certificate;			 /* of clients; nothing but its key is proved */
	bool old_tls;				 /* 1.0 and 1.1 too, which are broken */
	struct bus *bus;			 /* of each request's call */
	int workers;
	/* Fills the reply; runs in a worker thread, or in an event thread if request->refused. */
	void (*serve)(void *context, struct http_request *request, struct http_reply *reply);
	void *context;
};

struct http;

/* Starts to listen. The options are copied, their texts kept. Errors are logged. */
err_t http_open(struct http **out, const struct http_options *options) MUST_CHECK;

/* Each reply ends its connection from now on: clients come back by another one, to another server.
 */
void http_retire(struct http *http);

/* Accepts nothing new, lets what has been read be answered within `drain_ms`, closes. False if that
 * was too little time: `serve` may still be at work then, so what it uses must stay. */
bool http_close(struct http *http, int64_t drain_ms);
