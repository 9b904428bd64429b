/* vault: see vault.h. XChaCha20-Poly1305; the use is authenticated beside the text. */
#include "services/provision/vault.h"

#include "lib/bus_keys.h"
#include "lib/log.h"
#include "services/provision/store_sealed.h"

#include <sodium.h>

#include <string.h>

#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define OVERHEAD  (NONCE_LEN + crypto_aead_xchacha20poly1305_ietf_ABYTES)

_Static_assert(VAULT_ID_LEN == KEY_ID_LEN + 1, "a key's id and its NUL");

static struct keyring keyring;

err_t vault_open(const char *path)
{
	return keyring_init(&keyring, path);
}

void vault_key_id(char id[VAULT_ID_LEN])
{
	struct key key;

	keyring_first(&keyring, &key);
	memcpy(id, key.id, KEY_ID_LEN);
	id[KEY_ID_LEN] = '\0';
	sodium_memzero(&key, sizeof(key));
}

const char *vault_seal(struct arena *arena, const char *use, const char *text)
{
	size_t len = strlen(text);
	unsigned char *box = arena_alloc(arena, OVERHEAD + len);
	char *hex = arena_alloc(arena, 2 * (OVERHEAD + len) + 1);
	struct key key;
	const char *sealed;

	keyring_first(&keyring, &key);
	randombytes_buf(box, NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(box + NONCE_LEN, NULL,
		(const unsigned char *)text, len, (const unsigned char *)use, strlen(use), NULL,
		box, key.bytes);
	sodium_bin2hex(hex, 2 * (OVERHEAD + len) + 1, box, OVERHEAD + len);
	sealed = arena_printf(arena, "%.*s:%s", KEY_ID_LEN, (const char *)key.id, hex);
	sodium_memzero(&key, sizeof(key));
	return sealed;
}

/* NULL if it does not open. */
static const char *unseal(struct arena *arena, const char *use, const char *sealed)
{
	size_t id_len = strcspn(sealed, ":"), size = strlen(sealed) / 2, len = 0;
	unsigned char *box = arena_alloc(arena, size + 1);
	uint8_t id[KEY_ID_LEN] = { 0 };
	unsigned char *text;
	struct key key;
	bool genuine;

	if (id_len == 0 || id_len > KEY_ID_LEN || sealed[id_len] != ':' ||
		sodium_hex2bin(box, size, sealed + id_len + 1, strlen(sealed + id_len + 1), NULL,
			&len, NULL) != 0 ||
		len < OVERHEAD)
		return NULL;
	memcpy(id, sealed, id_len);
	if (!keyring_find(&keyring, id, &key))
		return NULL;
	text = arena_alloc(arena, len - OVERHEAD + 1);
	genuine = crypto_aead_xchacha20poly1305_ietf_decrypt(text, NULL, NULL, box + NONCE_LEN,
			  len - NONCE_LEN, (const unsigned char *)use, strlen(use), box,
			  key.bytes) == 0;
	sodium_memzero(&key, sizeof(key));
	return genuine ? (const char *)text : NULL;
}

err_t vault_unseal(struct call *call, const char *use, const char *sealed, const char **text)
{
	*text = unseal(call->arena, use, sealed);
	if (*text != NULL)
		return OK;
	LOG_THROTTLED(LOG_LEVEL_ERROR, "vault_unreadable",
		"use=%s key=%.*s"
		" action=\"put the key with this id back into LANYARD_PROVISION_KEY_FILE\"",
		log_value(use), (int)strcspn(sealed, ":"), sealed);
	return call_refuse(call, ERR_DATA_LOSS, NULL,
		"a secret of this tenant can't be read: see the log of provision");
}

/* What can't be opened was logged, and keeps nothing else from being sealed anew. */
static err_t reseal_kind(struct call *call, size_t kind, const char *key_id)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_sealed_otherwise(call, kind, key_id, &rows);

	for (size_t i = 0; err == OK && i < db_count(rows); i++) {
		const char *use = db_text(rows, i, "use"), *text;

		if (vault_unseal(call, use, db_text(rows, i, "sealed"), &text) == OK)
			err = store_sealed_set(
				call, kind, rows, i, vault_seal(call->arena, use, text));
	}
	return err;
}

err_t vault_reseal(struct call *call)
{
	char key_id[VAULT_ID_LEN];
	err_t err = OK;

	vault_key_id(key_id);
	for (size_t kind = 0; err == OK && kind < STORE_SEALED_KINDS; kind++)
		err = reseal_kind(call, kind, key_id);
	return err;
}
