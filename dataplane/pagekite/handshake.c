/* handshake: see handshake.h. */
#include "dataplane/pagekite/handshake.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char hello[] = "CONNECT PageKite:";
static const char ping[] = "HEAD /ping HTTP/";
static const char kite_line[] = "X-PageKite:";

/* ---- one kite ---- */

/* Copies the next part, up to a colon or the end of the line; false: it is too long, or has
 * something else in it than a token or a name has. */
static bool take_part(const char **at, const char *end, char *out, size_t size)
{
	size_t len = 0;

	while (*at + len < end && (*at)[len] != ':') {
		unsigned char c = (unsigned char)(*at)[len];

		if (len + 1 >= size || (!isalnum(c) && strchr("-_.", c) == NULL) || c == '\0')
			return false;
		out[len++] = (char)c;
	}
	out[len] = '\0';
	*at += len;
	return true;
}

static bool take_colon(const char **at, const char *end)
{
	if (*at == end || **at != ':')
		return false;
	(*at)++;
	return true;
}

static void to_lower(char *text)
{
	for (; *text != '\0'; text++)
		*text = (char)tolower((unsigned char)*text);
}

static bool read_kite(const char *at, const char *end, struct handshake_kite *kite)
{
	char protocol[32];
	bool fine = take_part(&at, end, protocol, sizeof(protocol)) && take_colon(&at, end) &&
		    take_part(&at, end, kite->name, sizeof(kite->name)) && take_colon(&at, end) &&
		    take_part(&at, end, kite->salt, sizeof(kite->salt)) && take_colon(&at, end) &&
		    take_part(&at, end, kite->challenge, sizeof(kite->challenge)) &&
		    take_colon(&at, end) &&
		    take_part(&at, end, kite->signature, sizeof(kite->signature)) && at == end;

	to_lower(protocol);
	to_lower(kite->name);
	snprintf(kite->protocol, sizeof(kite->protocol), "%.7s", protocol);
	return fine && kite->name[0] != '\0' && kite->salt[0] != '\0' && kite->signature[0] != '\0';
}

static bool is_ours(const struct handshake_kite *kite)
{
	return strcmp(kite->protocol, "https") == 0 || strcmp(kite->protocol, "http") == 0;
}

/* ---- all of it ---- */

static bool add_line(struct handshake *handshake, const char *line, size_t len)
{
	struct handshake_kite *kite = &handshake->kites[handshake->n];
	size_t prefix = strlen(kite_line);

	if (len < prefix || strncasecmp(line, kite_line, prefix) != 0)
		return true;
	while (prefix < len && line[prefix] == ' ')
		prefix++;
	if (handshake->n == HANDSHAKE_KITES_MAX || !read_kite(line + prefix, line + len, kite))
		return false;
	handshake->n += is_ours(kite) ? 1 : 0;
	return true;
}

static bool agrees(const uint8_t *data, size_t len, const char *begin)
{
	return memcmp(data, begin, len < strlen(begin) ? len : strlen(begin)) == 0;
}

bool handshake_begins(const uint8_t *data, size_t len)
{
	return agrees(data, len, hello) || agrees(data, len, ping);
}

enum handshake_result handshake_read(
	struct handshake *handshake, const uint8_t *data, size_t len, size_t *taken)
{
	const char *line = (const char *)data, *end = line + len, *next;

	if (!handshake_begins(data, len))
		return HANDSHAKE_OTHER;
	handshake->n = 0;
	for (; (next = memchr(line, '\n', (size_t)(end - line))) != NULL; line = next + 1) {
		size_t line_len = (size_t)(next - line);

		if (line_len > 0 && line[line_len - 1] == '\r')
			line_len--;
		if (line_len == 0) {
			*taken = (size_t)(next + 1 - (const char *)data);
			if (agrees(data, len, ping))
				return HANDSHAKE_PING;
			return handshake->n > 0 ? HANDSHAKE_WHOLE : HANDSHAKE_WRONG;
		}
		if (!add_line(handshake, line, line_len))
			return HANDSHAKE_WRONG;
	}
	return len >= HANDSHAKE_MAX ? HANDSHAKE_WRONG : HANDSHAKE_MORE;
}
