/*
 * ws: WebSocket framing (RFC 6455) over memory: a reader that parses, unmasks and joins fragments
 * in the caller's receive buffer, the headers of frames to send, and the keys of the opening
 * handshake.
 *
 * No I/O and no allocation. No extension and no subprotocol: a set RSV bit is an error. Used by
 * both ends; an object belongs to one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_HEADER_MAX  14  /* bytes before the payload of a masked frame over 65535 bytes */
#define WS_CONTROL_MAX 125 /* payload of a control frame */
#define WS_MASK_LEN    4
#define WS_KEY_SIZE    25 /* text with its NUL */
#define WS_ACCEPT_SIZE 29

enum ws_role {
	WS_CLIENT, /* sends masked frames, receives frames without a mask */
	/* Of vpn-ws, which hands on frames as other clients sent them: each data frame is a binary
	 * message of its own, whatever its FIN, RSV, opcode 0 to 2, mask and form of length. */
	WS_LAX_CLIENT,
	WS_SERVER,
};

enum ws_opcode {
	WS_CONTINUATION = 0x0, /* never given out by the reader */
	WS_TEXT = 0x1,
	WS_BINARY = 0x2,
	WS_CLOSE = 0x8,
	WS_PING = 0x9,
	WS_PONG = 0xa,
};

enum ws_status {
	WS_STATUS_NORMAL = 1000,
	WS_STATUS_GOING_AWAY = 1001,
	WS_STATUS_PROTOCOL_ERROR = 1002,
	WS_STATUS_UNSUPPORTED = 1003,
	WS_STATUS_NONE = 1005, /* a close frame without a code; itself never sent */
	WS_STATUS_BAD_TEXT = 1007,
	WS_STATUS_POLICY = 1008,
	WS_STATUS_TOO_BIG = 1009,
	WS_STATUS_INTERNAL = 1011,
	WS_STATUS_RESTART = 1012,
	WS_STATUS_TRY_LATER = 1013,
};

/* ---- receiving ---- */

/* A whole message, or a control frame; `data` points into the reader's buffer. */
struct ws_message {
	enum ws_opcode opcode;
	uint8_t *data;
	size_t len;
};

enum ws_result {
	WS_MORE,    /* nothing whole yet: receive more */
	WS_MESSAGE, /* `message` is filled */
	WS_BROKEN,  /* the peer broke the protocol: close with reader->status, and read no more */
};

struct ws_reader {
	enum ws_role role;
	size_t max_message;
	uint8_t *buf; /* kept */
	size_t capacity;
	size_t begin;	       /* where the message that is being joined begins */
	size_t gathered;       /* its bytes so far */
	size_t next;	       /* the first byte not yet parsed, after a gap that held headers */
	size_t end;	       /* the first byte not yet received */
	enum ws_opcode opcode; /* of the message that is being joined; WS_CONTINUATION: none is */
	enum ws_status status; /* why it is broken */
	const char *why;       /* in words; NULL: it isn't */
};

/* The least capacity of a reader's buffer: a joined message, and a frame that comes between. */
#define WS_READER_CAPACITY(max_message) ((max_message) + 2 * WS_HEADER_MAX + WS_CONTROL_MAX)

/* Begins a connection; keeps `buf`. `role` is this end's. */
void ws_reader_init(struct ws_reader *reader, enum ws_role role, uint8_t *buf, size_t capacity,
	size_t max_message);

/* Where to receive the next bytes, and how many fit: never 0 after WS_MORE. Messages given out
 * before are no longer valid. */
uint8_t *ws_reader_space(struct ws_reader *reader, size_t *len);

/* Tells that `len` bytes were received there. */
void ws_reader_received(struct ws_reader *reader, size_t len);

/* Gives out the next message; text and the reason in a close frame are valid UTF-8, and the code of
 * a close frame is one that may be sent. Once broken it stays so. */
enum ws_result ws_reader_next(struct ws_reader *reader, struct ws_message *message);

/* The code of a close frame, WS_STATUS_NONE if it has none. */
unsigned ws_close_status(const struct ws_message *message);

/* ---- sending ---- */

/* Length of the header of a frame with `len` bytes of payload. */
size_t ws_header_len(size_t len, bool masked);

/* Writes the header of a whole message or control frame and returns its length. `mask` may be NULL.
 */
size_t ws_header(uint8_t *out, enum ws_opcode opcode, size_t len, const uint8_t *mask);

/* The same for a fragment: `fin` if it is its message's last. */
size_t ws_fragment_header(
	uint8_t *out, enum ws_opcode opcode, bool fin, size_t len, const uint8_t *mask);

/* XORs the payload of one frame with its mask; the same again unmasks. */
void ws_mask(uint8_t *data, size_t len, const uint8_t mask[WS_MASK_LEN]);

/* The same on the way from `data` to `out`, for bytes that stand `at` bytes behind the first of
 * their payload. */
void ws_mask_copy(
	uint8_t *out, const uint8_t *data, size_t len, const uint8_t mask[WS_MASK_LEN], size_t at);

/* Writes a control frame, its payload masked, and returns its length; `out` has room for
 * WS_HEADER_MAX + WS_CONTROL_MAX bytes. Payload over WS_CONTROL_MAX is cut. */
size_t ws_control(
	uint8_t *out, enum ws_opcode opcode, const void *payload, size_t len, const uint8_t *mask);

/* The same for a close frame with a code and a reason (may be ""); WS_STATUS_NONE: with neither. */
size_t ws_close(uint8_t *out, enum ws_status status, const char *reason, const uint8_t *mask);

/* ---- the opening handshake ---- */

/* Makes a random Sec-WebSocket-Key. */
void ws_key(char key[WS_KEY_SIZE]);

/* The Sec-WebSocket-Accept that answers `key`, whatever text the key is. */
void ws_accept(const char *key, char accept[WS_ACCEPT_SIZE]);
