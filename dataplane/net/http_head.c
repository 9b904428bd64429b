/*
 * http_head: the parser of Debian's libhttp-parser, over a head that is kept as it came.
 */
#include "dataplane/net/http_internal.h"

#include "lib/mem.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* ---- parsing ---- */

static uint32_t offset_of(const struct http *http, const char *at)
{
	return (uint32_t)(at - http->head);
}

/* Parts come in pieces, which follow each other. */
static void extend(struct http *http, struct http_span *span, const char *at, size_t len)
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

static char *text_of(struct http *http, const struct http_span *span)
{
	char *text = http->head + span->at;

	text[span->len] = '\0';
	return text;
}

const char *http_method(const struct http *http)
{
	return http_method_str(http->parser.method);
}

const char *http_query_text(const struct http *http)
{
	return http->query;
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

	http->state = HTTP_ASKED;
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

void http_begin_head(struct http *http)
{
	http->path = http->query = "";
	http_parser_init(&http->parser, HTTP_REQUEST);
	http->parser.data = http;
}

size_t http_read_head(struct http *http, const uint8_t *data, size_t len)
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
