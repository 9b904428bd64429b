/* pki_internal: what the files of pki share; see pki.h. */
#pragma once

#include "services/provision/pki.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

/* What must not fail but for want of memory; a BUG with OpenSSL's own words. */
#define PKI_MUST(expression)                                                                       \
	do {                                                                                       \
		if (!(expression))                                                                 \
			pki_bug(#expression);                                                      \
	} while (0)
void pki_bug(const char *expression) __attribute__((noreturn));

#define PKI_AUTO(Type, name)                                                                       \
	static inline void name##_free_at(Type **slot)                                             \
	{                                                                                          \
		name##_free(*slot);                                                                \
	}
PKI_AUTO(BIO, BIO)
PKI_AUTO(EVP_PKEY, EVP_PKEY)
PKI_AUTO(X509, X509)
#define AUTO_BIO  __attribute__((cleanup(BIO_free_at))) BIO *
#define AUTO_PKEY __attribute__((cleanup(EVP_PKEY_free_at))) EVP_PKEY *
#define AUTO_X509 __attribute__((cleanup(X509_free_at))) X509 *

/* All that was written to the memory BIO, as text in the arena; the BIO's own copy is wiped. */
const char *pki_text(struct arena *arena, BIO *bio);

/* These read our own texts. The caller frees. */
EVP_PKEY *pki_private_key(const char *pem);
EVP_PKEY *pki_public_key(const char *pem);
X509 *pki_x509(const char *pem);

/* The digest that signatures of this key are made with; NULL for Ed25519. */
const EVP_MD *pki_digest(const EVP_PKEY *key);

ASN1_INTEGER *pki_serial(const char *hex);
