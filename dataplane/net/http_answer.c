/*
 * http_answer: the answer to a request, and the headers that a status calls for.
 */
#include "dataplane/net/http_internal.h"

#include "dataplane/counters.h"
#include "lib/mem.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_MAX 1024

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
	http->state = HTTP_ANSWERING;
	stream_set_timer(http->stream, STREAM_OPENING_MS);
	stream_wake(http->stream);
}

void http_reply(
	struct http *http, unsigned status, const char *headers, const void *body, size_t len)
{
	char head[ANSWER_MAX];
	bool bodiless = http->state == HTTP_ASKED && http->parser.method == HTTP_HEAD;
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
