/* wg_dump: see wg_dump.h. */
#include "agents/wireguard/wg_dump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
#define SOURCE "0123456789abcdef.:[]%"

/* The columns, which tabs separate. */
enum column { KEY, PRESHARED, ENDPOINT, ALLOWED, HANDSHAKE, RECEIVED, SENT, KEEPALIVE, N_COLUMNS };

struct field {
	const char *text;
	size_t len;
};

/* Splits a line; false if it has another number of fields. */
static bool split(const char *line, size_t len, struct field fields[N_COLUMNS])
{
	size_t n = 0;

	for (const char *at = line, *end = line + len;; n++) {
		const char *tab = memchr(at, '\t', (size_t)(end - at));

		if (n == N_COLUMNS)
			return false;
		fields[n] = (struct field){ at, (size_t)((tab != NULL ? tab : end) - at) };
		if (tab == NULL)
			return n == N_COLUMNS - 1;
		at = tab + 1;
	}
}

static bool take_text(const struct field *field, const char *letters, char *out, size_t size)
{
	if (field->len >= size)
		return false;
	memcpy(out, field->text, field->len);
	out[field->len] = '\0';
	return strspn(out, letters) == field->len;
}

static bool take_number(const struct field *field, uint64_t *out)
{
	char digits[21], *end;

	if (field->len == 0 || !take_text(field, "0123456789", digits, sizeof(digits)))
		return false;
	errno = 0;
	*out = strtoull(digits, &end, 10);
	return errno == 0 && *end == '\0' && *out <= INT64_MAX;
}

/* "(none)" is a peer that never came. */
static void take_source(const struct field *field, char source[WG_SOURCE_SIZE])
{
	if (!take_text(field, SOURCE, source, WG_SOURCE_SIZE))
		source[0] = '\0';
}

static bool read_line(const char *text, size_t len, struct wg_dump_line *line)
{
	struct field fields[N_COLUMNS];
	uint64_t handshake_s;

	*line = (struct wg_dump_line){ 0 };
	if (!split(text, len, fields) ||
		!take_text(&fields[KEY], BASE64, line->public_key, sizeof(line->public_key)) ||
		!take_number(&fields[HANDSHAKE], &handshake_s) ||
		!take_number(&fields[RECEIVED], &line->seen.bytes_in) ||
		!take_number(&fields[SENT], &line->seen.bytes_out))
		return false;
	line->seen.handshake_s = (int64_t)handshake_s;
	take_source(&fields[ENDPOINT], line->seen.source);
	return true;
}

bool wg_dump_next(const char **at, struct wg_dump_line *line)
{
	while (**at != '\0') {
		const char *text = *at;
		size_t len = strcspn(text, "\n");

		*at += len + (text[len] == '\n');
		if (read_line(text, len, line))
			return true;
	}
	return false;
}
