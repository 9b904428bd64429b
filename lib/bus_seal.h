/*
 * bus_seal: sealed messages: XChaCha20-Poly1305 under a fleet key, with a fixed header as
 * associated data (docs/bus.md has the table). A message is for one process (a doorbell for all),
 * fresh, and taken once; a reply is bound to its request. No nng in here. Thread safe.
 */
#pragma once

#include "lib/bus_keys.h"
#include "lib/bus_replay.h"
#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

#define SEAL_UUID_LEN	16
#define SEAL_NONCE_LEN	24
#define SEAL_HEADER_LEN (3 + 1 + 1 + KEY_ID_LEN + 2 * SEAL_UUID_LEN + 8 + SEAL_NONCE_LEN)
#define SEAL_OVERHEAD	(SEAL_HEADER_LEN + 16)

enum seal_kind {
	SEAL_REQUEST = 1,
	SEAL_REPLY = 2,
	SEAL_TURNED_AWAY = 3, /* "your request was not run here: ask another"; without content */
	SEAL_DOORBELL = 4,
};

enum seal_verdict {
	SEAL_FINE,
	SEAL_MALFORMED,	  /* too short, or of another version */
	SEAL_FORGED,	  /* unknown key, or changed on the way */
	SEAL_STALE,	  /* sealed too long ago, or the clocks differ */
	SEAL_REPLAYED,	  /* seen before */
	SEAL_FULL,	  /* no room to remember it */
	SEAL_MISDIRECTED, /* genuine, but for another process */
	SEAL_N_VERDICTS,
};

struct span {
	const uint8_t *bytes;
	size_t len;
};

struct seal_header {
	enum seal_kind kind;
	uint8_t sender[SEAL_UUID_LEN];
	uint8_t recipient[SEAL_UUID_LEN]; /* zero: everyone */
	int64_t at_ms;			  /* clock_unix_ms() of the sender */
	uint8_t nonce[SEAL_NONCE_LEN];
	const uint8_t *answers; /* nonce of the request that a reply is for; NULL: not a reply */
};

/* One process's end of the seal. */
struct seal {
	struct keyring keyring;
	struct replay replay;
	uint8_t self[SEAL_UUID_LEN];
	int64_t (*unix_ms)(void); /* clock_unix_ms, but for tests */
};

/* The 16 bytes of a UUID text; ERR_INVALID_ARGUMENT if it is none. */
err_t seal_uuid(const char *text, uint8_t uuid[SEAL_UUID_LEN]) MUST_CHECK;

/* Reads the key file (`path` is kept) and takes the process's own UUID. Errors are logged. */
err_t seal_init(struct seal *seal, const char *path, const char *self) MUST_CHECK;
void seal_finish(struct seal *seal);

/* Seals `plain` into `out`, of plain.len + SEAL_OVERHEAD bytes. Takes kind, recipient and answers
 * from the header and fills the rest of it. */
void seal_close(struct seal *seal, struct seal_header *header, struct span plain, uint8_t *out);

/* Opens a message into `plain`, of message.len bytes (its text has message.len - SEAL_OVERHEAD),
 * and fills the header but for `answers`, which must be set. Requests and doorbells are taken once.
 */
enum seal_verdict seal_open(
	struct seal *seal, struct seal_header *header, struct span message, uint8_t *plain);

/* One word for a log line or a metric's label. */
const char *seal_verdict_name(enum seal_verdict verdict);
