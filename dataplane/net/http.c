/*
 * http: the parser of Debian's libhttp-parser, over a head that is kept as it came.
 */
#include "dataplane/net/http.h"

#include "dataplane/counters.h"
#include "lib/mem.h"

#include <http_parser.h>
#include <sodium.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LINGER_MS  2000		 /* for the client to read an answer and hang up */
#define LINGER_MAX (1024 * 1024) /* bytes that it may still send then */
#define ANSWER_MAX 1024

/* A part of the head. */
struct span {
	uint32_t at, len;
};

enum state {
	READING,   /* the head is not whole */
	ASKED,	   /* the answer is not there */
	ANSWERING, /* it is being sent */
	LINGERING, /* it was sent */
};

struct http {
	struct stream *stream;
	const struct http_face *face;
	void *context;
	void *owner;
	enum state state;
	http_parser parser;
	char *head; /* grows; each part that was parsed is ended by a NUL */
	size_t len, size;
	struct span target;
	struct span names[HTTP_HEADERS_MAX], values[HTTP_HEADERS_MAX];
	size_t n_headers;
	bool in_value;
	bool too_many;
	const char *path;  /* without the query */
	const char *query; /* "" if there is none */
	char *answer;
	size_t answer_len;
	size_t lingered;
};

/* ---- parsing ---- */

static uint32_t offset_of(const struct http *http, const char *at)
{
	return (uint32_t)(at - http->head);
}

/* Parts come in pieces, which follow each other. */
static void extend(struct http *http, struct span *span, const char *at, size_t len)
{
	if (span->len == 0)
		span->at = offset_of(http, at);
	span->len = offset_of(http, at) + (uint32_t)len - span->at;
}

static int on_target(http_parser *parser, const char *at, size_t len)
{
	struct http *http = parser->data;

	extend(http, &http->target, at, len);
	return 0;
}

static int on_name(http_parser *parser, const char *at, size_t len)
{
	struct http *http = parser->data;

	if (http->in_value || http->n_headers == 0) {
		if (http->n_headers == HTTP_HEADERS_MAX) {
			http->too_many = true;
			return 1;
		}
		http->n_headers++;
		http->in_value = false;
	}
	extend(http, &http->names[http->n_headers - 1], at, len);
	return 0;
}

static int on_value(http_parser *parser, const char *at, size_t len)
{
	struct http *http = parser->data;

	http->in_value = true;
	extend(http, &http->values[http->n_headers - 1], at, len);
	return 0;
}

/* What follows the head is the business of whom the stream is handed to. */
static int on_head(http_parser *parser)
{
	http_parser_pause(parser, 1);
	return 0;
}

static const http_parser_settings settings = {
	.on_url = on_target,
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_headers_complete = on_head,
};

/* ---- the head as texts ---- */

static char *text_of(struct http *http, const struct span *span)
{
	char *text = http->head + span->at;

	text[span->len] = '\0';
	return text;
}

const char *http_method(const struct http *http)
{
	return http_method_str(http->parser.method);
}

const char *http_path(const struct http *http)
{
	return http->path;
}

/* The value of the next header with that name, from `i` on. */
static const char *next_header(const struct http *http, const char *name, size_t *i)
{
	while (*i < http->n_headers) {
		size_t at = (*i)++;

		if (strcasecmp(http->head + http->names[at].at, name) == 0)
			return http->head + http->values[at].at;
	}
	return NULL;
}

const char *http_header(const struct http *http, const char *name)
{
	size_t i = 0;

	return next_header(http, name, &i);
}

bool http_list_has(const char *list, const char *token)
{
	static const char separators[] = ", \t";
	size_t len = strlen(token);

	while (*(list += strspn(list, separators)) != '\0') {
		size_t n = strcspn(list, separators);

		if (n == len && strncasecmp(list, token, len) == 0)
			return true;
		list += n;
	}
	return false;
}

bool http_has_token(const struct http *http, const char *name, const char *token)
{
	const char *value;
	size_t i = 0;

	while ((value = next_header(http, name, &i)))
		if (http_list_has(value, token))
			return true;
	return false;
}

static int hex_of(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit = (char)tolower((unsigned char)digit);
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Decodes one character of a query and steps over it; -1 if it is malformed. */
static int decode(const char **at)
{
	const char *text = *at;

	*at += 1;
	if (*text == '+')
		return ' ';
	if (*text != '%')
		return (unsigned char)*text;
	if (hex_of(text[1]) < 0 || hex_of(text[2]) < 0)
		return -1;
	*at += 2;
	return hex_of(text[1]) * 16 + hex_of(text[2]);
}

bool http_query(const struct http *http, const char *name, char *out, size_t size)
{
	const char *at = http->query, *end;
	size_t len = strlen(name), n = 0;

	*out = '\0';
	while (strncmp(at, name, len) != 0 || at[len] != '=') {
		at = strchr(at, '&');
		if (!at)
			return true;
		at++;
	}
	at += len + 1;
	for (end = at + strcspn(at, "&"); at < end; n++) {
		int byte = decode(&at);

		if (byte <= 0 || n + 1 >= size)
			return false;
		out[n] = (char)byte;
	}
	out[n] = '\0';
	return true;
}

struct stream *http_stream(const struct http *http)
{
	return http->stream;
}

void http_set_owner(struct http *http, void *owner)
{
	http->owner = owner;
}

void *http_owner(const struct http *http)
{
	return http->owner;
}

/* ---- checking it ---- */

static bool take_target(struct http *http)
{
	char *target = text_of(http, &http->target);
	char *authority = strstr(target, "://");
	char *query;

	if (*target != '/' && authority) /* as proxies are asked */
		target = authority + 3 + strcspn(authority + 3, "/?");
	query = strchr(target, '?');
	http->query = query ? query + 1 : "";
	if (query)
		*query = '\0';
	http->path = *target ? target : "/";
	return *http->path == '/';
}

static bool is_single(const struct http *http, const char *name)
{
	size_t i = 0;

	return !next_header(http, name, &i) || !next_header(http, name, &i);
}

/* 0, or the status to refuse it with. */
static unsigned check(struct http *http, const char **why)
{
	static const char *const single[] = { "Host", "Authorization", "Sec-WebSocket-Key" };

	for (size_t i = 0; i < http->n_headers; i++) {
		char *name = text_of(http, &http->names[i]), *value;

		if (http->values[i].len == 0) /* then it has no place of its own */
			http->values[i].at = offset_of(http, name) + http->names[i].len;
		value = text_of(http, &http->values[i]);
		*why = "A header goes over several lines.";
		if (strpbrk(value, "\r\n"))
			return 400;
		while (http->values[i].len > 0 && strchr(" \t", value[http->values[i].len - 1]))
			value[--http->values[i].len] = '\0';
	}
	for (size_t i = 0; i < ARRAY_LEN(single); i++) {
		*why = "Host, Authorization and Sec-WebSocket-Key may come once only.";
		if (!is_single(http, single[i]))
			return 400;
	}
	*why = "This is no proxy.";
	if (http->parser.method == HTTP_CONNECT)
		return 405;
	*why = "The request's target is no path.";
	if (!take_target(http))
		return 400;
	*why = "HTTP/1.1 needs a Host.";
	return http->parser.http_minor >= 1 && !http_header(http, "Host") ? 400 : 0;
}

static void on_whole(struct http *http)
{
	const char *why;
	unsigned status = check(http, &why);

	http->state = ASKED;
	if (status != 0) {
		http_answer(http, status, why);
		return;
	}
	stream_set_timer(http->stream, 0);
	http->face->asked(http->context, http);
}

/* Adds bytes to the head: as many as it has room for. */
static size_t append(struct http *http, const uint8_t *data, size_t len)
{
	if (len > HTTP_HEAD_MAX - http->len)
		len = HTTP_HEAD_MAX - http->len;
	while (http->size < http->len + len + 1) {
		http->size = http->size ? 2 * http->size : 1024;
		http->head = xrealloc(http->head, http->size);
	}
	memcpy(http->head + http->len, data, len);
	return len;
}

static size_t read_head(struct http *http, const uint8_t *data, size_t len)
{
	size_t n = append(http, data, len);
	size_t parsed = http_parser_execute(&http->parser, &settings, http->head + http->len, n);

	switch (HTTP_PARSER_ERRNO(&http->parser)) {
	case HPE_PAUSED: /* at the last byte of the head */
		on_whole(http);
		return parsed + 1;
	case HPE_OK:
		http->len += n;
		if (http->len == HTTP_HEAD_MAX)
			http_answer(http, 431, "The request's head is over 16 KiB.");
		return n;
	default:
		http_answer(http, http->too_many ? 431 : 400,
			http->too_many ? "The request has too many headers."
				       : http_errno_description(HTTP_PARSER_ERRNO(&http->parser)));
		return n;
	}
}

/* ---- the stream's face ---- */

static size_t on_received(struct stream *stream, const struct stream_bytes *bytes)
{
	struct http *http = stream_owner(stream);

	switch (http->state) {
	case READING:
		return read_head(http, bytes->data, bytes->len);
	case ASKED:
		return 0;
	default:
		http->lingered += bytes->len;
		if (http->lingered > LINGER_MAX)
			stream_close(stream);
		return bytes->len;
	}
}

static void on_fill(struct stream *stream)
{
	struct http *http = stream_owner(stream);
	struct iovec part = { http->answer, http->answer_len };

	if (http->state != ANSWERING || !stream_write(stream, &part, 1))
		return;
	http->state = LINGERING;
	stream_set_timer(stream, LINGER_MS);
	stream_finish(stream);
}

static void on_timer(struct stream *stream)
{
	struct http *http = stream_owner(stream);

	if (http->state == READING)
		http_answer(http, 408, "The request took too long.");
	else
		stream_close(stream);
}

static void http_free(struct http *http)
{
	if (http->head) /* it may hold a token or a password */
		sodium_memzero(http->head, http->size);
	free(http->head);
	free(http->answer);
	free(http);
}

static void on_closed(struct stream *stream)
{
	struct http *http = stream_owner(stream);

	if (http->state == ASKED && http->face->gone)
		http->face->gone(http->context, http);
	http_free(http);
}

static const struct stream_face stream_face = {
	.received = on_received,
	.fill = on_fill,
	.timer = on_timer,
	.closed = on_closed,
};

struct http *http_create(struct stream *stream, const struct http_face *face, void *context)
{
	struct http *http = xcalloc(1, sizeof(*http));

	http->stream = stream;
	http->face = face;
	http->context = context;
	http->path = http->query = "";
	http_parser_init(&http->parser, HTTP_REQUEST);
	http->parser.data = http;
	stream_set_face(stream, &stream_face, http);
	return http;
}

struct stream *http_release(struct http *http)
{
	struct stream *stream = http->stream;

	http_free(http);
	return stream;
}

/* ---- the answer ---- */

static const struct status {
	unsigned status;
	const char *text; /* and what has to go with it */
} statuses[] = {
	{ 200, "OK" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized\r\nWWW-Authenticate: Bearer, Basic realm=\"lanyard\"" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed\r\nAllow: GET" },
	{ 408, "Request Timeout" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 421, "Misdirected Request" },
	{ 426, "Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13" },
	{ 429, "Too Many Requests\r\nRetry-After: 1" },
	{ 431, "Request Header Fields Too Large" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable\r\nRetry-After: 1" },
};

static const char *status_text(unsigned status)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].text;
	return "Status";
}

static void begin_answer(struct http *http)
{
	http->state = ANSWERING;
	stream_set_timer(http->stream, STREAM_OPENING_MS);
	stream_wake(http->stream);
}

void http_reply(
	struct http *http, unsigned status, const char *headers, const void *body, size_t len)
{
	char head[ANSWER_MAX];
	bool bodiless = http->state == ASKED && http->parser.method == HTTP_HEAD;
	int n = snprintf(head, sizeof(head),
		"HTTP/1.1 %u %s\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n", status,
		status_text(status), headers, len);

	if (n < 0 || (size_t)n >= sizeof(head))
		BUG("the headers of an answer are over %zu bytes", sizeof(head));
	if (status >= 400)
		counter_add(COUNTER_HANDSHAKES_REFUSED, 1);
	http->answer_len = (size_t)n + (bodiless ? 0 : len);
	http->answer = xmalloc(http->answer_len);
	memcpy(http->answer, head, (size_t)n);
	if (!bodiless && len > 0)
		memcpy(http->answer + n, body, len);
	begin_answer(http);
}

void http_send(struct http *http, const char *text)
{
	http->answer = xstrdup(text);
	http->answer_len = strlen(text);
	begin_answer(http);
}

void http_answer(struct http *http, unsigned status, const char *sentence)
{
	char body[512];
	int len = snprintf(body, sizeof(body), "%s\n", sentence);

	if (len >= (int)sizeof(body))
		len = (int)sizeof(body) - 1;
	http_reply(http, status, "Content-Type: text/plain; charset=utf-8\r\n", body, (size_t)len);
}
