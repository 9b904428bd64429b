/*
 * http_internal: the parts of a request: http.c has its life on the stream, http_head.c what was
 * asked, http_answer.c the answer.
 */
#pragma once

#include "dataplane/net/http.h"

#include <http_parser.h>

/* A part of the head. */
struct http_span {
	uint32_t at, len;
};

enum http_state {
	HTTP_READING,	/* the head is not whole */
	HTTP_ASKED,	/* the answer is not there */
	HTTP_ANSWERING, /* it is being sent */
	HTTP_LINGERING, /* it was sent */
};

struct http {
	struct stream *stream;
	const struct http_face *face;
	void *context;
	void *owner;
	enum http_state state;
	http_parser parser;
	char *head; /* grows; each part that was parsed is ended by a NUL */
	size_t len, size;
	struct http_span target;
	struct http_span names[HTTP_HEADERS_MAX], values[HTTP_HEADERS_MAX];
	size_t n_headers;
	bool in_value;
	bool too_many;
	const char *path;  /* without the query */
	const char *query; /* "" if there is none */
	char *answer;
	size_t answer_len;
	size_t lingered;
};

/* Begins with no byte of the head. */
void http_begin_head(struct http *http);

/* Takes bytes of the head and tells how many that were. When it is whole the face is asked, when it
 * can't become that it is answered: the request may be gone afterwards. */
size_t http_read_head(struct http *http, const uint8_t *data, size_t len);
