/*
 * http: the first request on a stream (HTTP/1.x), and the answer, after which the connection ends
 * unless it becomes a channel. The loop's thread.
 *
 * A head has at most 16 KiB and 96 headers, and the time that streams have for opening. What is
 * malformed, too long or too late is answered here. A request may be answered later; until then
 * nothing more is read.
 */
#pragma once

#include "dataplane/net/stream.h"

#include <stdbool.h>
#include <stddef.h>

#define HTTP_HEAD_MAX	 (16 * 1024)
#define HTTP_HEADERS_MAX 96

struct http;

struct http_face {
	/* A request: http_answer it, or hand it to channel_accept, now or later. */
	void (*asked)(void *context, struct http *http);
	/* The client is gone before it had an answer. Only after `asked` has returned without one;
	 * NULL if there are no such. */
	void (*gone)(void *context, struct http *http);
};

/* Makes the stream one that waits for a request; keeps face and context. Who answers at once needs
 * no face. */
struct http *http_create(struct stream *stream, const struct http_face *face, void *context);

/* ---- the request; texts live until it is answered ---- */

const char *http_method(const struct http *http);

/* The path as it was sent, "/" at least, without the query. */
const char *http_path(const struct http *http);

/* The query as it was sent, "" if there is none. */
const char *http_query_text(const struct http *http);

/* A header's value; NULL if there is none. Of several with one name the first. */
const char *http_header(const struct http *http, const char *name);

/* True if the header is a list that has the token, compared without case. */
bool http_has_token(const struct http *http, const char *name, const char *token);
bool http_list_has(const char *list, const char *token);

/* Copies an argument of the query, decoded; "" if there is none. False: it is malformed or does not
 * fit. */
bool http_query(const struct http *http, const char *name, char *out, size_t size);

struct stream *http_stream(const struct http *http);

/* For who answers later: kept with the request. */
void http_set_owner(struct http *http, void *owner);
void *http_owner(const struct http *http);

/* ---- the answer: the request is gone after it ---- */

/* Answers with one sentence as text. What the status calls for (WWW-Authenticate, Allow, Upgrade,
 * Retry-After) goes with it. */
void http_answer(struct http *http, unsigned status, const char *sentence);

/* Answers with a status, headers of its own ("Name: value\r\n" each) and a body. */
void http_reply(
	struct http *http, unsigned status, const char *headers, const void *body, size_t len);

/* Answers with a text that is the head and the body. */
void http_send(struct http *http, const char *text);

/* Gives the stream to its next use, which has to set a face, and forgets the request. */
struct stream *http_release(struct http *http);
