/*
 * hello: what the records carry is put together, then the handshake message in it is taken apart;
 * each length is checked against the one around it.
 */
#include "dataplane/tunnel/hello.h"

#include "lib/bytes.h"

#include <ctype.h>
#include <string.h>

#define RECORD_HEAD  5
#define RECORD_MAX   (16 * 1024)
#define HANDSHAKE    22
#define MESSAGE_HEAD 4
#define CLIENT_HELLO 1
#define VERSION_LEN  2
#define RANDOM_LEN   32
#define EXT_SERVER   0
#define NAME_IS_HOST 0
#define METHOD_MAX   8

/* A part of the message that is read from its front. */
struct span {
	const uint8_t *data;
	size_t len;
};

static bool skip(struct span *span, size_t len)
{
	if (span->len < len)
		return false;
	span->data += len;
	span->len -= len;
	return true;
}

static bool take(struct span *span, size_t len, struct span *out)
{
	*out = (struct span){ span->data, len };
	return skip(span, len);
}

/* Takes a part that has its length before it, in one byte or two. */
static bool take_short(struct span *span, struct span *out)
{
	size_t len = span->len > 0 ? span->data[0] : 0;

	return skip(span, 1) && take(span, len, out);
}

static bool take_long(struct span *span, struct span *out)
{
	size_t len = span->len > 1 ? bytes_be16(span->data) : 0;

	return skip(span, 2) && take(span, len, out);
}

/* ---- the message ---- */

bool hello_host(const char *text, size_t len, char out[HELLO_NAME_MAX])
{
	bool letter = false;

	if (len > 0 && text[len - 1] == '.')
		len--;
	if (len == 0 || len >= HELLO_NAME_MAX || text[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = (char)tolower((unsigned char)text[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' &&
			(c != '.' || out[i - 1] == '.'))
			return false;
		letter = letter || (c >= 'a' && c <= 'z');
		out[i] = c;
	}
	out[len] = '\0';
	return letter;
}

/* A list of names, of which only the kind of host names was ever defined, and one of each kind. An
 * address, or what else is no host name, is as good as none. */
static bool read_name(char *name, struct span extension)
{
	struct span names, host;

	if (!take_long(&extension, &names) || extension.len > 0 || names.len == 0 ||
		names.data[0] != NAME_IS_HOST || !skip(&names, 1) || !take_long(&names, &host) ||
		names.len > 0)
		return false;
	if (!hello_host((const char *)host.data, host.len, name))
		name[0] = '\0';
	return true;
}

static enum hello_result read_extensions(char *name, struct span list)
{
	bool named = false;

	while (list.len > 0) {
		struct span extension;
		unsigned type = list.len > 1 ? bytes_be16(list.data) : 0;

		if (!skip(&list, 2) || !take_long(&list, &extension))
			return HELLO_GARBAGE;
		if (type == EXT_SERVER && (named || !read_name(name, extension)))
			return HELLO_GARBAGE;
		named = named || type == EXT_SERVER;
	}
	return name[0] != '\0' ? HELLO_NAME : HELLO_NO_NAME;
}

/* The whole ClientHello, without its head. */
static enum hello_result read_message(char *name, struct span message)
{
	struct span part, extensions;

	if (!skip(&message, VERSION_LEN + RANDOM_LEN) || !take_short(&message, &part) ||
		!take_long(&message, &part) || !take_short(&message, &part))
		return HELLO_GARBAGE;
	if (message.len == 0)
		return HELLO_NO_NAME; /* as before TLS had extensions */
	if (!take_long(&message, &extensions) || message.len > 0)
		return HELLO_GARBAGE;
	return read_extensions(name, extensions);
}

/* ---- the records ---- */

static bool is_http(const uint8_t *data, size_t len)
{
	size_t i = 0;

	while (i < len && i < METHOD_MAX && data[i] >= 'A' && data[i] <= 'Z')
		i++;
	return i >= 3 && i < len && data[i] == ' ';
}

/* What begins like a method may become a request. */
static enum hello_result read_other(const uint8_t *data, size_t len)
{
	size_t i = 0;

	if (is_http(data, len))
		return HELLO_HTTP;
	while (i < len && data[i] >= 'A' && data[i] <= 'Z')
		i++;
	return i == len && len <= METHOD_MAX ? HELLO_MORE : HELLO_GARBAGE;
}

/* Bytes of the message with its head; 0: not known yet. */
static size_t message_len(const uint8_t *joined, size_t len)
{
	return len < MESSAGE_HEAD ? 0 : MESSAGE_HEAD + (bytes_be32(joined) & 0xffffff);
}

static bool is_whole(const uint8_t *joined, size_t len)
{
	return message_len(joined, len) > 0 && message_len(joined, len) <= len;
}

/* Joins what the records carry, until the message is whole; false: one of them is no part of a
 * handshake. */
static bool join(struct span records, uint8_t out[HELLO_MAX], size_t *out_len)
{
	for (*out_len = 0; records.len > 0 && !is_whole(out, *out_len);) {
		const uint8_t *head = records.data;
		size_t len, there;

		if (head[0] != HANDSHAKE || (records.len > 1 && head[1] != 3))
			return false;
		if (!skip(&records, RECORD_HEAD))
			break;
		len = bytes_be16(head + 3);
		if (len == 0 || len > RECORD_MAX)
			return false;
		there = len < records.len ? len : records.len;
		memcpy(out + *out_len, records.data, there);
		*out_len += there;
		skip(&records, there);
	}
	return true;
}

enum hello_result hello_read(const uint8_t *data, size_t len, char name[HELLO_NAME_MAX])
{
	uint8_t joined[HELLO_MAX];
	size_t joined_len;

	name[0] = '\0';
	if (len > 0 && data[0] != HANDSHAKE)
		return read_other(data, len);
	if (!join((struct span){ data, len < HELLO_MAX ? len : HELLO_MAX }, joined, &joined_len) ||
		(joined_len > 0 && joined[0] != CLIENT_HELLO))
		return HELLO_GARBAGE;
	if (is_whole(joined, joined_len))
		return read_message(name, (struct span){ joined + MESSAGE_HEAD,
						  message_len(joined, joined_len) - MESSAGE_HEAD });
	if (len >= HELLO_MAX || message_len(joined, joined_len) > HELLO_MAX - RECORD_HEAD)
		return HELLO_TOO_LONG;
	return HELLO_MORE;
}
