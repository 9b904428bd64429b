/* wg_key: see wg_key.h. */
#include "agents/wireguard/wg_key.h"

#include "agents/state.h"

#include "lib/base64.h"
#include "lib/mem.h"

#include <sodium.h>

#include <string.h>

#define FILE_NAME "key"
#define VARIANT	  sodium_base64_VARIANT_ORIGINAL

/* Curve25519, with the bits set that every WireGuard sets. */
static void make(uint8_t secret[crypto_scalarmult_SCALARBYTES])
{
	randombytes_buf(secret, crypto_scalarmult_SCALARBYTES);
	secret[0] &= 248;
	secret[31] = (uint8_t)((secret[31] & 127) | 64);
}

static err_t read_kept(
	const char *dir, uint8_t secret[crypto_scalarmult_SCALARBYTES], struct fault *fault)
{
	AUTO_FREE char *path = xasprintf("%s/" FILE_NAME, dir);
	char *text;
	size_t len = 0;
	bool good;
	err_t err = state_read_file(path, WG_KEY_SIZE - 1, &text, fault);

	if (err != OK)
		return err;
	good = base64_decode(
		       text, strlen(text), VARIANT, secret, crypto_scalarmult_SCALARBYTES, &len) &&
	       len == crypto_scalarmult_SCALARBYTES;
	explicit_bzero(text, strlen(text));
	free(text);
	if (good)
		return OK;
	return fault_set(fault, ERR_INVALID_ARGUMENT, "state",
		"%.150s is no key of WireGuard: remove it, and apps have to connect anew", path);
}

err_t wg_key_open(const char *dir, struct wg_key *key, struct fault *fault)
{
	uint8_t secret[crypto_scalarmult_SCALARBYTES], public[crypto_scalarmult_BYTES];
	err_t err = read_kept(dir, secret, fault);
	bool is_new = err == ERR_NOT_FOUND;

	if (err != OK && !is_new)
		return err;
	if (is_new)
		make(secret);
	crypto_scalarmult_base(public, secret);
	sodium_bin2base64(key->secret, sizeof(key->secret), secret, sizeof(secret), VARIANT);
	sodium_bin2base64(key->public, sizeof(key->public), public, sizeof(public), VARIANT);
	explicit_bzero(secret, sizeof(secret));
	return is_new ? state_write_file(dir, FILE_NAME, key->secret, fault) : OK;
}
