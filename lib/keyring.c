/* keyring: see keyring.h. keyring_open in the main thread, the rest in any. */
#include "lib/keyring.h"

#include "lib/log.h"

#include <sodium.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CONTEXT	 "lyauth01" /* crypto_kdf_CONTEXTBYTES: tells these keys from others' */
#define KEY_LEN	 32
#define OVERHEAD (crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES)

static unsigned char keys[KEYRING_LAST + 1][KEY_LEN]; /* by enum keyring_use */

static bool read_key(const char *path, unsigned char master[crypto_kdf_KEYBYTES])
{
	char text[2 * crypto_kdf_KEYBYTES + 8] = "";
	FILE *file = fopen(path, "re");
	size_t len;

	if (file == NULL) {
		log_error("key_unreadable", "path=%s error=%s", log_value(path),
			log_value(strerror(errno)));
		return false;
	}
	setvbuf(file, NULL, _IONBF, 0);
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	if (len != 2 * (size_t)crypto_kdf_KEYBYTES ||
		sodium_hex2bin(master, crypto_kdf_KEYBYTES, text, len, NULL, &len, NULL) != 0 ||
		len != crypto_kdf_KEYBYTES) {
		log_error("key_malformed", "path=%s expected=\"64 hex digits\"", log_value(path));
		len = 0;
	}
	sodium_memzero(text, sizeof(text));
	return len > 0;
}

err_t keyring_open(const char *path)
{
	unsigned char master[crypto_kdf_KEYBYTES];

	if (sodium_init() < 0)
		BUG("libsodium does not start");
	if (!read_key(path, master))
		return ERR_INVALID_ARGUMENT;
	for (unsigned use = 1; use <= KEYRING_LAST; use++)
		crypto_kdf_derive_from_key(keys[use], KEY_LEN, use, CONTEXT, master);
	sodium_memzero(master, sizeof(master));
	return OK;
}

void keyring_digest(
	enum keyring_use use, const unsigned char *bytes, size_t len, char hex[KEYRING_DIGEST_HEX])
{
	unsigned char digest[KEYRING_DIGEST_HEX / 2];

	crypto_generichash(digest, sizeof(digest), bytes, len, keys[use], KEY_LEN);
	sodium_bin2hex(hex, KEYRING_DIGEST_HEX, digest, sizeof(digest));
}

const char *keyring_seal(struct arena *arena, enum keyring_use use, const char *text)
{
	size_t len = strlen(text);
	unsigned char *box = arena_alloc(arena, OVERHEAD + len);
	char *hex = arena_alloc(arena, 2 * (OVERHEAD + len) + 1);

	randombytes_buf(box, crypto_secretbox_NONCEBYTES);
	crypto_secretbox_easy(box + crypto_secretbox_NONCEBYTES, (const unsigned char *)text, len,
		box, keys[use]);
	return sodium_bin2hex(hex, 2 * (OVERHEAD + len) + 1, box, OVERHEAD + len);
}

err_t keyring_unseal(struct arena *arena, enum keyring_use use, const char *hex, const char **text)
{
	size_t size = strlen(hex) / 2, len = 0;
	unsigned char *box = arena_alloc(arena, size + 1);
	unsigned char *opened;

	if (sodium_hex2bin(box, size, hex, strlen(hex), NULL, &len, NULL) != 0 || len < OVERHEAD)
		return ERR_DATA_LOSS;
	opened = arena_alloc(arena, len - OVERHEAD + 1);
	if (crypto_secretbox_open_easy(opened, box + crypto_secretbox_NONCEBYTES,
		    len - crypto_secretbox_NONCEBYTES, box, keys[use]) != 0)
		return ERR_DATA_LOSS;
	*text = (const char *)opened;
	return OK;
}
