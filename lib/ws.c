/* ws: see ws.h. One pass over the bytes; a frame is looked at when its header is there, used when
 * it is whole. */
#include "lib/ws.h"

#include "lib/mem.h"
#include "lib/utf8.h"
#include "lib/ws_frame.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <string.h>

#define FIN	 0x80
#define MASKED	 0x80
#define LEN_16	 126 /* the length follows in 2 bytes */
#define LEN_64	 127 /* ... in 8 bytes */
#define KEY_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/* ---- receiving ---- */

static enum ws_result broken(struct ws_reader *reader, enum ws_status status, const char *why)
{
	reader->status = status;
	reader->why = why;
	return WS_BROKEN;
}

/* Reads the header at reader->next. WS_MESSAGE: it is whole and good. */
static enum ws_result read_header(struct ws_reader *reader, struct ws_frame *frame)
{
	enum ws_result result =
		ws_frame_read(frame, reader->role, reader->opcode != WS_CONTINUATION,
			reader->buf + reader->next, reader->end - reader->next);

	if (result == WS_BROKEN)
		return broken(reader, frame->status, frame->why);
	if (result == WS_MESSAGE && !ws_is_control(frame->opcode) &&
		frame->len > reader->max_message - reader->gathered)
		return broken(reader, WS_STATUS_TOO_BIG, "a message over the limit");
	return result;
}

static enum ws_result take_control(struct ws_reader *reader, struct ws_frame *frame,
	uint8_t *payload, struct ws_message *message)
{
	*message = (struct ws_message){ frame->opcode, payload, frame->len };
	if (ws_frame_check_control(frame, payload) == WS_BROKEN)
		return broken(reader, frame->status, frame->why);
	return WS_MESSAGE;
}

/* Adds a data frame's payload to the message; WS_MESSAGE when that was its last frame. */
static enum ws_result take_data(struct ws_reader *reader, const struct ws_frame *frame,
	const uint8_t *payload, struct ws_message *message)
{
	if (frame->opcode != WS_CONTINUATION) {
		reader->opcode = frame->opcode;
		reader->begin = (size_t)(payload - reader->buf);
	} else {
		memmove(reader->buf + reader->begin + reader->gathered, payload, frame->len);
	}
	reader->gathered += frame->len;
	if (!frame->fin)
		return WS_MORE;

	*message = (struct ws_message){ reader->opcode, reader->buf + reader->begin,
		reader->gathered };
	reader->opcode = WS_CONTINUATION;
	reader->gathered = 0;
	if (message->opcode == WS_TEXT && !utf8_valid(message->data, message->len))
		return broken(reader, WS_STATUS_BAD_TEXT, "text that is not UTF-8");
	return WS_MESSAGE;
}

void ws_reader_init(struct ws_reader *reader, enum ws_role role, uint8_t *buf, size_t capacity,
	size_t max_message)
{
	if (capacity < WS_READER_CAPACITY(max_message))
		BUG("a buffer of %zu bytes for messages of %zu", capacity, max_message);
	*reader = (struct ws_reader){
		.role = role, .max_message = max_message, .buf = buf, .capacity = capacity
	};
}

/* Brings what is not given out yet to the beginning of the buffer. */
static void compact(struct ws_reader *reader)
{
	size_t unparsed = reader->end - reader->next;

	if (reader->gathered > 0)
		memmove(reader->buf, reader->buf + reader->begin, reader->gathered);
	memmove(reader->buf + reader->gathered, reader->buf + reader->next, unparsed);
	reader->begin = 0;
	reader->next = reader->gathered;
	reader->end = reader->gathered + unparsed;
}

/* A long message comes in many receives: it is not moved before each of them. */
uint8_t *ws_reader_space(struct ws_reader *reader, size_t *len)
{
	bool empty = reader->end == reader->next && reader->gathered == 0;

	if (empty || reader->capacity - reader->end < reader->capacity / 4)
		compact(reader);
	*len = reader->capacity - reader->end;
	return reader->buf + reader->end;
}

void ws_reader_received(struct ws_reader *reader, size_t len)
{
	if (len > reader->capacity - reader->end)
		BUG("%zu bytes received where %zu fit", len, reader->capacity - reader->end);
	reader->end += len;
}

enum ws_result ws_reader_next(struct ws_reader *reader, struct ws_message *message)
{
	struct ws_frame frame;
	enum ws_result result = reader->why != NULL ? WS_BROKEN : WS_MORE;

	while (result == WS_MORE) {
		uint8_t *payload;

		if ((result = read_header(reader, &frame)) != WS_MESSAGE)
			break;
		if (reader->end - reader->next - frame.header_len < frame.len)
			return WS_MORE;
		payload = reader->buf + reader->next + frame.header_len;
		if (frame.mask != NULL)
			ws_mask(payload, frame.len, frame.mask);
		reader->next += frame.header_len + frame.len;
		result = ws_is_control(frame.opcode)
				 ? take_control(reader, &frame, payload, message)
				 : take_data(reader, &frame, payload, message);
	}
	return result;
}

unsigned ws_close_status(const struct ws_message *message)
{
	return message->len < 2 ? WS_STATUS_NONE
				: (unsigned)message->data[0] << 8 | message->data[1];
}

/* ---- sending ---- */

size_t ws_header_len(size_t len, bool masked)
{
	size_t extended = len < LEN_16 ? 0 : len <= UINT16_MAX ? 2 : 8;

	return 2 + extended + (masked ? WS_MASK_LEN : 0);
}

size_t ws_header(uint8_t *out, enum ws_opcode opcode, size_t len, const uint8_t *mask)
{
	return ws_fragment_header(out, opcode, true, len, mask);
}

size_t ws_fragment_header(
	uint8_t *out, enum ws_opcode opcode, bool fin, size_t len, const uint8_t *mask)
{
	size_t extended = ws_header_len(len, false) - 2;

	out[0] = (uint8_t)((fin ? FIN : 0) | opcode);
	out[1] = (uint8_t)(extended == 0 ? len : extended == 2 ? LEN_16 : LEN_64);
	for (size_t i = 0; i < extended; i++)
		out[2 + i] = (uint8_t)((uint64_t)len >> 8 * (extended - 1 - i));
	if (mask == NULL)
		return 2 + extended;
	out[1] |= MASKED;
	memcpy(out + 2 + extended, mask, WS_MASK_LEN);
	return 2 + extended + WS_MASK_LEN;
}

/* 64 bytes at a time, in whatever registers the machine has for that. */
void ws_mask_copy(
	uint8_t *out, const uint8_t *data, size_t len, const uint8_t mask[WS_MASK_LEN], size_t at)
{
	typedef uint32_t lanes __attribute__((vector_size(32)));
	uint8_t turned[WS_MASK_LEN];
	lanes wide, first, second;
	uint32_t word;
	size_t i = 0;

	for (size_t k = 0; k < WS_MASK_LEN; k++)
		turned[k] = mask[(at + k) % WS_MASK_LEN];
	memcpy(&word, turned, WS_MASK_LEN);
	wide = (lanes){ 0 } + word;
	for (; i + 2 * sizeof(lanes) <= len; i += 2 * sizeof(lanes)) {
		memcpy(&first, data + i, sizeof(lanes));
		memcpy(&second, data + i + sizeof(lanes), sizeof(lanes));
		first ^= wide;
		second ^= wide;
		memcpy(out + i, &first, sizeof(lanes));
		memcpy(out + i + sizeof(lanes), &second, sizeof(lanes));
	}
	for (; i < len; i++)
		out[i] = data[i] ^ turned[i % WS_MASK_LEN];
}

void ws_mask(uint8_t *data, size_t len, const uint8_t mask[WS_MASK_LEN])
{
	ws_mask_copy(data, data, len, mask, 0);
}

size_t ws_control(
	uint8_t *out, enum ws_opcode opcode, const void *payload, size_t len, const uint8_t *mask)
{
	size_t header_len;

	if (len > WS_CONTROL_MAX)
		len = WS_CONTROL_MAX;
	header_len = ws_header(out, opcode, len, mask);
	if (len > 0)
		memcpy(out + header_len, payload, len);
	if (mask != NULL)
		ws_mask(out + header_len, len, mask);
	return header_len + len;
}

size_t ws_close(uint8_t *out, enum ws_status status, const char *reason, const uint8_t *mask)
{
	uint8_t payload[WS_CONTROL_MAX];
	size_t len = strnlen(reason, sizeof(payload) - 2);

	if (status == WS_STATUS_NONE)
		return ws_control(out, WS_CLOSE, NULL, 0, mask);
	payload[0] = (uint8_t)(status >> 8);
	payload[1] = (uint8_t)status;
	memcpy(payload + 2, reason, len);
	return ws_control(out, WS_CLOSE, payload, 2 + len, mask);
}

/* ---- the opening handshake ---- */

void ws_key(char key[WS_KEY_SIZE])
{
	uint8_t random[16];

	randombytes_buf(random, sizeof(random));
	sodium_bin2base64(key, WS_KEY_SIZE, random, sizeof(random), sodium_base64_VARIANT_ORIGINAL);
}

void ws_accept(const char *key, char accept[WS_ACCEPT_SIZE])
{
	uint8_t digest[20];
	EVP_MD_CTX *sha1 = EVP_MD_CTX_new();

	if (sha1 == NULL || EVP_DigestInit_ex(sha1, EVP_sha1(), NULL) != 1 ||
		EVP_DigestUpdate(sha1, key, strlen(key)) != 1 ||
		EVP_DigestUpdate(sha1, KEY_GUID, strlen(KEY_GUID)) != 1 ||
		EVP_DigestFinal_ex(sha1, digest, NULL) != 1)
		BUG("no SHA-1");
	EVP_MD_CTX_free(sha1);
	sodium_bin2base64(
		accept, WS_ACCEPT_SIZE, digest, sizeof(digest), sodium_base64_VARIANT_ORIGINAL);
}
