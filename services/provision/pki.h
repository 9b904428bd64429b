/*
 * pki: keys, certificates, signing requests and revocation lists (X.509 v3, RFC 5280) on OpenSSL;
 * the only code of provision that sees it. Everything is PEM text in an arena, and nothing is kept.
 * Any thread.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PKI_SERIAL_LEN	    33 /* 32 hex digits with the NUL */
#define PKI_FINGERPRINT_LEN 65
#define PKI_CSR_MAX	    (16 * 1024)

enum pki_role { PKI_ROOT, PKI_ISSUING, PKI_CLIENT, PKI_SERVER, PKI_SIGNER };

/* What is to be signed: all of it is chosen by us, never by whoever asks. */
struct pki_template {
	enum pki_role role;
	/* O, OU and CN, at most 64 bytes each; without a name the serial is the name */
	const char *organisation, *unit, *name;
	char *const *dns_names; /* of a server; checked names */
	size_t n_dns_names;
	int64_t not_before_s, not_after_s; /* Unix time */
};

struct pki_issuer {
	const char *certificate, *key;
};

struct pki_certificate {
	const char *pem;
	char serial[PKI_SERIAL_LEN];
	char fingerprint[PKI_FINGERPRINT_LEN]; /* SHA-256 */
};

struct pki_revoked {
	const char *serial;
	int64_t at_s;
	bool on_hold; /* may come back */
};

/* A new private key on P-256, as PKCS #8, and its public key. */
const char *pki_key_create(struct arena *arena, const char **public_key);

/* PKCS #8 under a passphrase, and back. Refused, with the name of the field: what is no such key,
 * or has another passphrase. */
const char *pki_key_encrypt(struct arena *arena, const char *key, const char *passphrase);
err_t pki_key_decrypt(
	struct call *call, const char *text, const char *passphrase, const char **key) MUST_CHECK;

bool pki_key_fits(const char *key, const char *certificate);

/* The public key of a signing request (PKCS #10), when the request is signed by it and it is strong
 * enough: P-256, P-384, Ed25519, or RSA of 2048 to 4096 bits. Else refused, on the field `csr`. */
err_t pki_csr_read(struct call *call, const char *csr, const char **public_key) MUST_CHECK;

/* Signs the template for a public key. `issuer` NULL: by `self_key`, a root's own. */
void pki_sign(struct arena *arena, const struct pki_template *template, const char *public_key,
	const struct pki_issuer *issuer, const char *self_key, struct pki_certificate *certificate);

/* A signature over the text with SHA-256, in base64. */
const char *pki_signature(struct arena *arena, const char *key, const char *text);

/* Reads a certificate as it came from outside; false if it is none that we could have made. */
bool pki_certificate_read(struct arena *arena, const unsigned char *der, size_t len,
	struct pki_certificate *certificate);

/* Certificates, PEM one after the other, as PKCS #7 without a signature, in lines of base64. */
char *pki_pkcs7(struct arena *arena, const char *certificates);

/* A revocation list. */
const char *pki_crl(struct arena *arena, const struct pki_issuer *issuer, int64_t number,
	int64_t this_update_s, int64_t next_update_s, const struct pki_revoked *revoked, size_t n);
