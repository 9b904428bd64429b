/* chunk: see chunk.h. */
#include "dataplane/pagekite/chunk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGITS_MAX 8
#define NUMBER_MAX 15 /* digits */

/* ---- reading ---- */

/* The length line. */
static enum chunk_result read_length(
	const uint8_t *data, size_t len, size_t *body_len, size_t *line_len)
{
	char digits[DIGITS_MAX + 1] = "";
	size_t n = 0;

	while (n < len && n < DIGITS_MAX && strchr("0123456789abcdefABCDEF", data[n]) != NULL &&
		data[n] != '\0') {
		digits[n] = (char)data[n];
		n++;
	}
	if (n == len)
		return CHUNK_MORE;
	if (n == 0 || data[n] != '\r' || (n + 1 < len && data[n + 1] != '\n'))
		return CHUNK_WRONG;
	*body_len = strtoul(digits, NULL, 16);
	*line_len = n + 2;
	if (*body_len == 0 || *body_len > CHUNK_MAX)
		return CHUNK_WRONG;
	return len < *line_len || len - *line_len < *body_len ? CHUNK_MORE : CHUNK_WHOLE;
}

static bool is_named(const char *line, size_t len, const char *name, const char **value)
{
	size_t name_len = strlen(name);

	if (len <= name_len || strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
		return false;
	*value = line + name_len + 1;
	while (*value < line + len && **value == ' ')
		(*value)++;
	return true;
}

static bool read_number(const char *value, const char *end, uint64_t *number)
{
	char digits[NUMBER_MAX + 1] = "";
	size_t len = (size_t)(end - value);

	if (len == 0 || len > NUMBER_MAX)
		return false;
	memcpy(digits, value, len);
	if (strspn(digits, "0123456789") != len)
		return false;
	*number = strtoull(digits, NULL, 10);
	return true;
}

static void read_eof(const char *value, const char *end, struct chunk *chunk)
{
	size_t len = (size_t)(end - value);
	bool reads = memchr(value, 'R', len) != NULL, writes = memchr(value, 'W', len) != NULL;

	chunk->eof = true;
	chunk->no_more = reads || !writes;
	chunk->nobody = writes || !reads;
}

static bool read_line(const char *line, size_t len, struct chunk *chunk)
{
	const char *end = line + len, *value;
	uint64_t number;

	if (is_named(line, len, "SID", &value)) {
		if (!read_number(value, end, &number) || number > UINT32_MAX)
			return false;
		chunk->has_stream = true;
		chunk->stream = (uint32_t)number;
	} else if (is_named(line, len, "SKB", &value)) {
		chunk->has_progress = read_number(value, end, &chunk->progress_kib);
	} else if (is_named(line, len, "EOF", &value)) {
		read_eof(value, end, chunk);
	} else if (is_named(line, len, "NOOP", &value)) {
		chunk->noop = true;
	} else if (is_named(line, len, "PING", &value)) {
		size_t n = (size_t)(end - value);

		for (size_t i = 0; i < n && i + 1 < sizeof(chunk->ping); i++)
			chunk->ping[i] = value[i] > ' ' && value[i] <= '~' ? value[i] : '-';
	}
	return true;
}

static enum chunk_result read_body(struct chunk *chunk, const uint8_t *body, size_t len)
{
	const uint8_t *blank = memmem(body, len, "\r\n\r\n", 4);
	const char *line = (const char *)body, *end, *next;

	if (blank == NULL)
		return CHUNK_WRONG;
	end = (const char *)blank + 2;
	for (; line < end; line = next + 2) {
		next = memmem(line, (size_t)(end - line), "\r\n", 2);
		if (!read_line(line, (size_t)(next - line), chunk))
			return CHUNK_WRONG;
	}
	chunk->data = blank + 4;
	chunk->len = (size_t)(body + len - chunk->data);
	return chunk->noop || chunk->has_stream ? CHUNK_WHOLE : CHUNK_WRONG;
}

enum chunk_result chunk_read(struct chunk *chunk, const uint8_t *data, size_t len, size_t *taken)
{
	size_t body_len, line_len;
	enum chunk_result result = read_length(data, len, &body_len, &line_len);

	if (result != CHUNK_WHOLE)
		return result;
	memset(chunk, 0, sizeof(*chunk));
	*taken = line_len + body_len;
	return read_body(chunk, data + line_len, body_len);
}

/* ---- writing ---- */

/* A chunk of these header lines; `len` bytes will follow. */
static size_t write_chunk(char out[CHUNK_HEAD_MAX], size_t len, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static size_t write_chunk(char out[CHUNK_HEAD_MAX], size_t len, const char *format, ...)
{
	char lines[CHUNK_HEAD_MAX - DIGITS_MAX - 2];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(lines, sizeof(lines), format, args);
	va_end(args);
	return (size_t)sprintf(out, "%zx\r\n%s", (size_t)n + len, lines);
}

size_t chunk_data(
	char out[CHUNK_HEAD_MAX], uint32_t stream, const struct chunk_visitor *visitor, size_t len)
{
	if (visitor == NULL)
		return write_chunk(out, len, "SID: %u\r\n\r\n", stream);
	return write_chunk(out, len,
		"SID: %u\r\nProto: %.8s\r\nHost: %.253s\r\nPort: %u\r\nRIP: %.64s\r\nRPort: %u\r\n"
		"\r\n",
		stream, visitor->protocol, visitor->name, visitor->port, visitor->address,
		visitor->visitor_port);
}

size_t chunk_end(char out[CHUNK_HEAD_MAX], uint32_t stream, bool nobody)
{
	return write_chunk(out, 0, "SID: %u\r\nEOF: 1%s\r\n\r\nBye!", stream, nobody ? "WR" : "R");
}

size_t chunk_progress(char out[CHUNK_HEAD_MAX], uint32_t stream, uint64_t kib)
{
	return write_chunk(
		out, 0, "NOOP: 1\r\nSID: %u\r\nSKB: %llu\r\n\r\n", stream, (unsigned long long)kib);
}

size_t chunk_ping(char out[CHUNK_HEAD_MAX])
{
	return write_chunk(out, 0, "NOOP: 1\r\nPING: 1\r\n\r\n!");
}

size_t chunk_pong(char out[CHUNK_HEAD_MAX], const char *ping)
{
	return write_chunk(out, 0, "NOOP: 1\r\nPONG: %.64s\r\n\r\n!", ping);
}
