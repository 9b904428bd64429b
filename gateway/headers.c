/* headers: one table of known names, and the rules of RFC 9112 section 6. No state; any thread. */
#include "gateway/headers.h"

#include "lib/mem.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define ACCEPT_MAX 1024 /* bytes; lines beyond it are not looked at */

static const struct {
	const char *name;
	size_t offset;
} known[] = {
	{ "Authorization", offsetof(struct headers, authorization) },
	{ "Content-Type", offsetof(struct headers, content_type) },
	{ "If-Match", offsetof(struct headers, if_match) },
	{ "Idempotency-Key", offsetof(struct headers, idempotency_key) },
	{ "Content-Length", offsetof(struct headers, content_length) },
	{ "Transfer-Encoding", offsetof(struct headers, transfer_encoding) },
	{ "Host", offsetof(struct headers, host) },
	{ "Last-Event-ID", offsetof(struct headers, last_event_id) },
	{ "If-None-Match", offsetof(struct headers, if_none_match) },
	{ "If-Modified-Since", offsetof(struct headers, if_modified_since) },
	{ "Accept", offsetof(struct headers, accept) },
	{ "Cookie", offsetof(struct headers, cookie) },
	{ "Origin", offsetof(struct headers, origin) },
	{ "Referer", offsetof(struct headers, referer) },
	{ "User-Agent", offsetof(struct headers, user_agent) },
	{ "X-Real-IP", offsetof(struct headers, real_ip) },
	{ "X-Api-User", offsetof(struct headers, api_user) },
	{ "X-Api-Key", offsetof(struct headers, api_key) },
};

static void refuse(
	struct headers *headers, enum http_status status, const char *field, const char *detail)
{
	if (headers->refused != 0)
		return;
	headers->refused = status;
	headers->field = field;
	headers->detail = detail;
}

/* token of RFC 9110 section 5.6.2 */
static bool is_token(const char *name)
{
	static const char allowed[] = "!#$%&'*+-.^_`|~0123456789"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	return name[0] != '\0' && name[strspn(name, allowed)] == '\0';
}

/* RFC 9110 section 5.5; bytes beyond ASCII may stand in one. */
static bool is_value(const char *value)
{
	for (; *value != '\0'; value++)
		if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7f)
			return false;
	return true;
}

void headers_add(struct headers *headers, struct arena *arena, const char *name, const char *value)
{
	headers->len += strlen(name) + strlen(value) + 4;
	headers->n++;
	if (!is_token(name))
		refuse(headers, HTTP_BAD_REQUEST, "", "expected header names without blanks");
	if (!is_value(value))
		refuse(headers, HTTP_BAD_REQUEST, "",
			"expected headers without control characters");
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		const char **slot = (const char **)((char *)headers + known[i].offset);

		if (strcasecmp(known[i].name, name) != 0)
			continue;
		if (*slot != NULL && slot == &headers->accept)
			value = strlen(*slot) < ACCEPT_MAX
					? arena_printf(arena, "%s, %s", *slot, value)
					: *slot;
		else if (*slot != NULL)
			refuse(headers, HTTP_BAD_REQUEST, known[i].name,
				"expected this header once");
		*slot = value;
	}
}

void headers_check(struct headers *headers)
{
	const char *length = headers->content_length;
	const char *encoding = headers->transfer_encoding;

	if (headers->len > HEADERS_MAX || headers->n > HEADERS_N_MAX)
		refuse(headers, HTTP_HEADERS_TOO_LARGE, "",
			"the headers are too large or too many");
	if (length != NULL && encoding != NULL)
		refuse(headers, HTTP_BAD_REQUEST, "Transfer-Encoding",
			"expected either Content-Length or Transfer-Encoding");
	if (encoding != NULL && strcasecmp(encoding, "chunked") != 0)
		refuse(headers, HTTP_BAD_REQUEST, "Transfer-Encoding", "expected chunked");
	if (length == NULL)
		return;
	if (length[0] == '\0' || length[strspn(length, "0123456789")] != '\0')
		refuse(headers, HTTP_BAD_REQUEST, "Content-Length", "expected a number");
	else if (strlen(length) > 18 || strtoll(length, NULL, 10) > HEADERS_LENGTH_MAX)
		refuse(headers, HTTP_CONTENT_TOO_LARGE, "", "the body is too large");
}
