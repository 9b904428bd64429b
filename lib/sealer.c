/* sealer: see sealer.h. The nonce is the salt with the record's number in its last 8 bytes. */
#include "lib/sealer.h"

#include "lib/mem.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <string.h>

#define KEY_RECORDS (1 << 16) /* sealed with one key */

struct sealer {
	EVP_CIPHER_CTX *cipher;
	uint8_t key[SEALER_KEY_LEN];
	uint8_t salt[SEALER_SALT_LEN];
	uint64_t n; /* records so far */
	bool failed;
};

static void must(int result)
{
	if (result != 1)
		BUG("AES-256-GCM fails");
}

struct sealer *sealer_create(const uint8_t secret[SEALER_SECRET_LEN], bool seals)
{
	struct sealer *sealer = xcalloc(1, sizeof(*sealer));

	sealer->cipher = EVP_CIPHER_CTX_new();
	if (sealer->cipher == NULL)
		BUG("out of memory");
	memcpy(sealer->key, secret, SEALER_KEY_LEN);
	memcpy(sealer->salt, secret + SEALER_KEY_LEN, SEALER_SALT_LEN);
	must(EVP_CipherInit_ex(
		sealer->cipher, EVP_aes_256_gcm(), NULL, sealer->key, NULL, seals ? 1 : 0));
	return sealer;
}

void sealer_destroy(struct sealer *sealer)
{
	if (sealer == NULL)
		return;
	EVP_CIPHER_CTX_free(sealer->cipher);
	sodium_memzero(sealer, sizeof(*sealer));
	free(sealer);
}

/* The next key is a hash of this one. */
static void change_key(struct sealer *sealer)
{
	uint8_t next[SEALER_KEY_LEN];

	crypto_generichash(next, sizeof(next), sealer->key, sizeof(sealer->key), NULL, 0);
	memcpy(sealer->key, next, sizeof(next));
	sodium_memzero(next, sizeof(next));
	must(EVP_CipherInit_ex(sealer->cipher, NULL, NULL, sealer->key, NULL, -1));
}

static void begin_record(struct sealer *sealer)
{
	uint8_t nonce[SEALER_SALT_LEN];

	if (sealer->n > 0 && sealer->n % KEY_RECORDS == 0)
		change_key(sealer);
	memcpy(nonce, sealer->salt, sizeof(nonce));
	for (size_t i = 0; i < 8; i++)
		nonce[SEALER_SALT_LEN - 1 - i] ^= (uint8_t)(sealer->n >> (8 * i));
	sealer->n++;
	must(EVP_CipherInit_ex(sealer->cipher, NULL, NULL, NULL, nonce, -1));
}

size_t sealer_seal(struct sealer *sealer, uint8_t *out, const struct iovec *parts, size_t n)
{
	size_t len = 0;
	int done;

	begin_record(sealer);
	for (size_t i = 0; i < n; i++) {
		must(EVP_CipherUpdate(sealer->cipher, out + len, &done, parts[i].iov_base,
			(int)parts[i].iov_len));
		len += parts[i].iov_len;
	}
	must(EVP_CipherFinal_ex(sealer->cipher, out + len, &done));
	must(EVP_CIPHER_CTX_ctrl(sealer->cipher, EVP_CTRL_AEAD_GET_TAG, SEALER_TAG_LEN, out + len));
	return len + SEALER_TAG_LEN;
}

bool sealer_open(struct sealer *sealer, uint8_t *out, const uint8_t *record, size_t len)
{
	size_t plain_len = len - SEALER_TAG_LEN;
	int done;

	if (sealer->failed || len < SEALER_TAG_LEN)
		return false;
	begin_record(sealer);
	must(EVP_CIPHER_CTX_ctrl(sealer->cipher, EVP_CTRL_AEAD_SET_TAG, SEALER_TAG_LEN,
		(void *)(uintptr_t)(record + plain_len)));
	must(EVP_CipherUpdate(sealer->cipher, out, &done, record, (int)plain_len));
	sealer->failed = EVP_CipherFinal_ex(sealer->cipher, out + plain_len, &done) != 1;
	return !sealer->failed;
}
