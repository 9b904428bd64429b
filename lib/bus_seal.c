/*
 * bus_seal: see bus_seal.h. Called by the rest of lib/bus for each message, in any thread.
 */
#include "lib/bus_seal.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <sodium.h>

#include <endian.h>
#include <string.h>

#define MAGIC	"LYB"
#define VERSION 1

_Static_assert(SEAL_NONCE_LEN == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key");
_Static_assert(SEAL_OVERHEAD == SEAL_HEADER_LEN + crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");

/* The header as it travels. */
struct wire_header {
	char magic[3];
	uint8_t version;
	uint8_t kind;
	uint8_t key_id[KEY_ID_LEN];
	uint8_t sender[SEAL_UUID_LEN];
	uint8_t recipient[SEAL_UUID_LEN];
	uint64_t at_ms; /* big endian */
	uint8_t nonce[SEAL_NONCE_LEN];
} __attribute__((packed));

/* What is authenticated beside the text. */
struct associated {
	struct wire_header header;
	uint8_t answers[SEAL_NONCE_LEN]; /* a reply's only */
} __attribute__((packed));

_Static_assert(sizeof(struct wire_header) == SEAL_HEADER_LEN, "header");

static const uint8_t everyone[SEAL_UUID_LEN];

err_t seal_uuid(const char *text, uint8_t uuid[SEAL_UUID_LEN])
{
	size_t len;

	if (strlen(text) != 36 ||
		sodium_hex2bin(uuid, SEAL_UUID_LEN, text, 36, "-", &len, NULL) != 0 ||
		len != SEAL_UUID_LEN)
		return ERR_INVALID_ARGUMENT;
	return OK;
}

err_t seal_init(struct seal *seal, const char *path, const char *self)
{
	err_t err;

	if (sodium_init() < 0)
		BUG("sodium_init");
	if (seal_uuid(self, seal->self) != OK) {
		log_error("bad_instance", "instance=%s expected=UUID", log_value(self));
		return ERR_INVALID_ARGUMENT;
	}
	err = keyring_init(&seal->keyring, path);
	if (err != OK)
		return err;
	replay_init(&seal->replay);
	seal->unix_ms = clock_unix_ms;
	return OK;
}

void seal_finish(struct seal *seal)
{
	keyring_finish(&seal->keyring);
	replay_finish(&seal->replay);
}

static size_t associate(
	struct associated *data, const struct wire_header *wire, const uint8_t *answers)
{
	data->header = *wire;
	if (answers == NULL)
		return sizeof(data->header);
	memcpy(data->answers, answers, SEAL_NONCE_LEN);
	return sizeof(*data);
}

void seal_close(struct seal *seal, struct seal_header *header, struct span plain, uint8_t *out)
{
	struct wire_header wire = { .magic = MAGIC, .version = VERSION };
	struct associated data;
	struct key key;
	size_t data_len;

	memcpy(header->sender, seal->self, SEAL_UUID_LEN);
	header->at_ms = seal->unix_ms();
	randombytes_buf(header->nonce, SEAL_NONCE_LEN);

	keyring_first(&seal->keyring, &key);
	wire.kind = (uint8_t)header->kind;
	memcpy(wire.key_id, key.id, KEY_ID_LEN);
	memcpy(wire.sender, header->sender, SEAL_UUID_LEN);
	memcpy(wire.recipient, header->recipient, SEAL_UUID_LEN);
	wire.at_ms = htobe64((uint64_t)header->at_ms);
	memcpy(wire.nonce, header->nonce, SEAL_NONCE_LEN);

	memcpy(out, &wire, sizeof(wire));
	data_len = associate(&data, &wire, header->answers);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + sizeof(wire), NULL, plain.bytes, plain.len,
		(const uint8_t *)&data, data_len, NULL, wire.nonce, key.bytes);
	sodium_memzero(&key, sizeof(key));
}

/* The format: the only look at bytes that are not yet known to be genuine. */
static bool read_header(struct span message, struct wire_header *wire)
{
	if (message.len < SEAL_OVERHEAD)
		return false;
	memcpy(wire, message.bytes, sizeof(*wire));
	return memcmp(wire->magic, MAGIC, sizeof(wire->magic)) == 0 && wire->version == VERSION &&
	       wire->kind >= SEAL_REQUEST && wire->kind <= SEAL_DOORBELL;
}

static bool decrypt(struct seal *seal, const struct wire_header *wire, const uint8_t *answers,
	struct span message, uint8_t *plain)
{
	struct associated data;
	size_t data_len = associate(&data, wire, answers);
	struct key key;
	bool genuine;

	if (!keyring_find(&seal->keyring, wire->key_id, &key))
		return false;
	genuine = crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL,
			  message.bytes + sizeof(*wire), message.len - sizeof(*wire),
			  (const uint8_t *)&data, data_len, wire->nonce, key.bytes) == 0;
	sodium_memzero(&key, sizeof(key));
	return genuine;
}

/* Fresh and not seen before? A reply needs no memory: it opens for the one request that waits for
 * it. */
static enum seal_verdict check_time(struct seal *seal, const struct seal_header *header)
{
	static const enum seal_verdict verdicts[] = {
		[REPLAY_NEW] = SEAL_FINE,
		[REPLAY_STALE] = SEAL_STALE,
		[REPLAY_SEEN] = SEAL_REPLAYED,
		[REPLAY_FULL] = SEAL_FULL,
	};
	int64_t now = seal->unix_ms();
	uint64_t nonce;

	if (header->answers != NULL)
		return replay_fresh(now, header->at_ms) ? SEAL_FINE : SEAL_STALE;
	memcpy(&nonce, header->nonce, sizeof(nonce));
	return verdicts[replay_admit(&seal->replay, now, header->at_ms, nonce)];
}

enum seal_verdict seal_open(
	struct seal *seal, struct seal_header *header, struct span message, uint8_t *plain)
{
	struct wire_header wire;
	const uint8_t *recipient;
	enum seal_verdict verdict;

	if (!read_header(message, &wire))
		return SEAL_MALFORMED;
	if (!decrypt(seal, &wire, header->answers, message, plain))
		return SEAL_FORGED;

	header->kind = wire.kind;
	memcpy(header->sender, wire.sender, SEAL_UUID_LEN);
	memcpy(header->recipient, wire.recipient, SEAL_UUID_LEN);
	header->at_ms = (int64_t)be64toh(wire.at_ms);
	memcpy(header->nonce, wire.nonce, SEAL_NONCE_LEN);

	verdict = check_time(seal, header);
	recipient = header->kind == SEAL_DOORBELL ? everyone : seal->self;
	if (verdict == SEAL_FINE && memcmp(header->recipient, recipient, SEAL_UUID_LEN) != 0)
		return SEAL_MISDIRECTED;
	return verdict;
}

const char *seal_verdict_name(enum seal_verdict verdict)
{
	static const char *const names[SEAL_N_VERDICTS] = {
		[SEAL_FINE] = "fine",
		[SEAL_MALFORMED] = "malformed",
		[SEAL_FORGED] = "forged",
		[SEAL_STALE] = "stale",
		[SEAL_REPLAYED] = "replayed",
		[SEAL_FULL] = "full",
		[SEAL_MISDIRECTED] = "misdirected",
	};

	return names[verdict];
}
