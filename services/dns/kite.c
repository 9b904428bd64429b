/* kite: see kite.h. */
#include "services/dns/kite.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <stdio.h>
#include <string.h>

#define SIGNATURE_LEN 36
#define SALT_LEN      8 /* of the signature: its first digits */
#define SIGNED_MAX    1024

bool kite_read(const char *question, const char *zone, char buf[DOMAIN_LEN], struct kite *kite)
{
	const char **parts[] = { &kite->salt, &kite->challenge, &kite->signature, &kite->protocol };
	int len = domain_prefix(question, zone);
	char *rest = buf;

	if (len <= 0)
		return false;
	memcpy(buf, question, (size_t)len);
	buf[len] = '\0';
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		*parts[i] = strsep(&rest, ".");
		if (rest == NULL)
			return false;
	}
	kite->name = rest;
	return domain_prefix(kite->name, zone) > 0;
}

/* The salt, and what begins SHA-1 of secret, payload and salt. */
static bool sign(const struct kite *kite, const char *secret, char signature[SIGNATURE_LEN + 1])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char text[SIGNED_MAX];
	int len = snprintf(text, sizeof(text), "%s%s:%s:%s:%s%.*s", secret, kite->protocol,
		kite->name, kite->salt, kite->challenge, SALT_LEN, kite->signature);

	if (len < 0 || len >= (int)sizeof(text) ||
		EVP_Digest(text, (size_t)len, digest, NULL, EVP_sha1(), NULL) != 1)
		return false;
	memcpy(signature, kite->signature, SALT_LEN);
	sodium_bin2hex(signature + SALT_LEN, SIGNATURE_LEN + 1 - SALT_LEN, digest,
		(SIGNATURE_LEN - SALT_LEN) / 2);
	sodium_memzero(text, sizeof(text));
	return true;
}

bool kite_check(const struct kite *kite, const char *secret)
{
	char signature[SIGNATURE_LEN + 1];

	return *secret != '\0' && strlen(kite->signature) == SIGNATURE_LEN &&
	       sign(kite, secret, signature) &&
	       sodium_memcmp(signature, kite->signature, SIGNATURE_LEN) == 0;
}
