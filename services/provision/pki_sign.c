/* pki_sign: certificates and revocation lists; see pki.h. */
#include "services/provision/pki_internal.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <sodium.h>

#include <stdio.h>
#include <string.h>

#define SERIAL_BYTES	(PKI_SERIAL_LEN / 2)
#define CERTIFICATE_MAX (16 * 1024)
#define SIGNATURE_MAX	128 /* ECDSA on P-256 takes 72 bytes at most */
#define BASE64		sodium_base64_VARIANT_ORIGINAL

/* What each role may be used for, as OpenSSL's configuration language has it. */
static const struct {
	const char *constraints, *usage, *extended;
} roles[] = {
	[PKI_ROOT] = { "critical,CA:TRUE,pathlen:1", "critical,keyCertSign,cRLSign", NULL },
	[PKI_ISSUING] = { "critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign", NULL },
	[PKI_CLIENT] = { "critical,CA:FALSE", "critical,digitalSignature", "clientAuth" },
	/* keyAgreement too: OpenVPN before 2.4 wants one of two exact sets. */
	[PKI_SERVER] = { "critical,CA:FALSE", "critical,digitalSignature,keyAgreement",
		"serverAuth" },
	[PKI_SIGNER] = { "critical,CA:FALSE", "critical,digitalSignature", "critical,codeSigning" },
};

ASN1_INTEGER *pki_serial(const char *hex)
{
	BIGNUM *number = NULL;
	ASN1_INTEGER *serial;

	PKI_MUST(BN_hex2bn(&number, hex) > 0);
	serial = BN_to_ASN1_INTEGER(number, NULL);
	PKI_MUST(serial != NULL);
	BN_free(number);
	return serial;
}

/* Random, positive, and always of the same length. */
static void random_serial(char hex[PKI_SERIAL_LEN])
{
	unsigned char bytes[SERIAL_BYTES];

	randombytes_buf(bytes, sizeof(bytes));
	bytes[0] = (unsigned char)((bytes[0] & 0x3f) | 0x40);
	sodium_bin2hex(hex, PKI_SERIAL_LEN, bytes, sizeof(bytes));
}

static void add_name(X509_NAME *name, const char *field, const char *value)
{
	PKI_MUST(X509_NAME_add_entry_by_txt(
			 name, field, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0) == 1);
}

static void add_extension(X509 *x509, X509V3_CTX *context, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, nid, value);

	PKI_MUST(extension != NULL && X509_add_ext(x509, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static void add_dns_names(X509 *x509, const struct pki_template *template)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();

	for (size_t i = 0; i < template->n_dns_names; i++) {
		GENERAL_NAME *name = GENERAL_NAME_new();
		ASN1_IA5STRING *text = ASN1_IA5STRING_new();

		PKI_MUST(name != NULL && text != NULL &&
			 ASN1_STRING_set(text, template->dns_names[i], -1) == 1);
		GENERAL_NAME_set0_value(name, GEN_DNS, text);
		PKI_MUST(sk_GENERAL_NAME_push(names, name) > 0);
	}
	PKI_MUST(X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0) == 1);
	GENERAL_NAMES_free(names);
}

static void add_extensions(X509 *x509, X509 *issuer, const struct pki_template *template)
{
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
	add_extension(x509, &context, NID_basic_constraints, roles[template->role].constraints);
	add_extension(x509, &context, NID_key_usage, roles[template->role].usage);
	if (roles[template->role].extended != NULL)
		add_extension(x509, &context, NID_ext_key_usage, roles[template->role].extended);
	add_extension(x509, &context, NID_subject_key_identifier, "hash");
	add_extension(x509, &context, NID_authority_key_identifier, "keyid:always");
	if (template->n_dns_names > 0)
		add_dns_names(x509, template);
}

static void set_time(ASN1_TIME *time, int64_t unix_s)
{
	PKI_MUST(ASN1_TIME_set(time, (time_t)unix_s) != NULL);
}

static void fill(X509 *x509, X509 *issuer, const struct pki_template *template, EVP_PKEY *key,
	const char *serial)
{
	ASN1_INTEGER *number = pki_serial(serial);
	X509_NAME *name = X509_get_subject_name(x509);

	PKI_MUST(X509_set_version(x509, X509_VERSION_3) == 1 &&
		 X509_set_serialNumber(x509, number) == 1 && X509_set_pubkey(x509, key) == 1);
	ASN1_INTEGER_free(number);
	add_name(name, "O", template->organisation);
	add_name(name, "OU", template->unit);
	add_name(name, "CN", template->name != NULL ? template->name : serial);
	PKI_MUST(X509_set_issuer_name(x509, X509_get_subject_name(issuer)) == 1);
	set_time(X509_getm_notBefore(x509), template->not_before_s);
	set_time(X509_getm_notAfter(x509), template->not_after_s);
	add_extensions(x509, issuer, template);
}

static void describe(struct arena *arena, X509 *x509, struct pki_certificate *certificate)
{
	AUTO_BIO bio = BIO_new(BIO_s_mem());
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	PKI_MUST(bio != NULL && PEM_write_bio_X509(bio, x509) == 1 &&
		 X509_digest(x509, EVP_sha256(), digest, &len) == 1);
	certificate->pem = pki_text(arena, bio);
	sodium_bin2hex(certificate->fingerprint, PKI_FINGERPRINT_LEN, digest, len);
}

bool pki_certificate_read(struct arena *arena, const unsigned char *der, size_t len,
	struct pki_certificate *certificate)
{
	const unsigned char *at = der;
	AUTO_X509 x509 = len <= CERTIFICATE_MAX ? d2i_X509(NULL, &at, (long)len) : NULL;
	unsigned char bytes[SERIAL_BYTES];
	BIGNUM *serial;

	ERR_clear_error();
	if (x509 == NULL || at != der + len)
		return false;
	serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
	if (serial == NULL || BN_num_bytes(serial) != SERIAL_BYTES) {
		BN_free(serial);
		return false;
	}
	PKI_MUST(BN_bn2binpad(serial, bytes, sizeof(bytes)) == SERIAL_BYTES);
	BN_free(serial);
	sodium_bin2hex(certificate->serial, PKI_SERIAL_LEN, bytes, sizeof(bytes));
	describe(arena, x509, certificate);
	return true;
}

void pki_sign(struct arena *arena, const struct pki_template *template, const char *public_key,
	const struct pki_issuer *issuer, const char *self_key, struct pki_certificate *certificate)
{
	AUTO_X509 x509 = X509_new();
	AUTO_X509 issuer_x509 = issuer != NULL ? pki_x509(issuer->certificate) : NULL;
	AUTO_PKEY signer = pki_private_key(issuer != NULL ? issuer->key : self_key);
	AUTO_PKEY key = pki_public_key(public_key);

	PKI_MUST(x509 != NULL);
	random_serial(certificate->serial);
	fill(x509, issuer_x509 != NULL ? issuer_x509 : x509, template, key, certificate->serial);
	PKI_MUST(X509_sign(x509, signer, pki_digest(signer)) > 0);
	describe(arena, x509, certificate);
}

const char *pki_signature(struct arena *arena, const char *key, const char *text)
{
	AUTO_PKEY signer = pki_private_key(key);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char signature[SIGNATURE_MAX];
	size_t len = sizeof(signature), room = sodium_base64_ENCODED_LEN(SIGNATURE_MAX, BASE64);
	char *base64 = arena_alloc(arena, room);

	PKI_MUST(context != NULL &&
		 EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, signer) == 1 &&
		 EVP_DigestSign(
			 context, signature, &len, (const unsigned char *)text, strlen(text)) == 1);
	EVP_MD_CTX_free(context);
	return sodium_bin2base64(base64, room, signature, len, BASE64);
}

/* ---- revocation lists ---- */

static void add_revoked(X509_CRL *crl, const struct pki_revoked *revoked)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_INTEGER *serial = pki_serial(revoked->serial);
	ASN1_TIME *at = ASN1_TIME_new();
	ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();

	PKI_MUST(entry != NULL && at != NULL && reason != NULL &&
		 X509_REVOKED_set_serialNumber(entry, serial) == 1);
	set_time(at, revoked->at_s);
	PKI_MUST(X509_REVOKED_set_revocationDate(entry, at) == 1);
	if (revoked->on_hold)
		PKI_MUST(ASN1_ENUMERATED_set(reason, CRL_REASON_CERTIFICATE_HOLD) == 1 &&
			 X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason, 0, 0) == 1);
	PKI_MUST(X509_CRL_add0_revoked(crl, entry) == 1);
	ASN1_INTEGER_free(serial);
	ASN1_TIME_free(at);
	ASN1_ENUMERATED_free(reason);
}

static void add_crl_extensions(X509_CRL *crl, X509 *issuer, int64_t number)
{
	X509V3_CTX context;
	X509_EXTENSION *key_id;
	ASN1_INTEGER *counter = ASN1_INTEGER_new();

	X509V3_set_ctx(&context, issuer, NULL, NULL, crl, 0);
	key_id = X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
	PKI_MUST(key_id != NULL && counter != NULL && X509_CRL_add_ext(crl, key_id, -1) == 1 &&
		 ASN1_INTEGER_set_int64(counter, number) == 1 &&
		 X509_CRL_add1_ext_i2d(crl, NID_crl_number, counter, 0, 0) == 1);
	X509_EXTENSION_free(key_id);
	ASN1_INTEGER_free(counter);
}

const char *pki_crl(struct arena *arena, const struct pki_issuer *issuer, int64_t number,
	int64_t this_update_s, int64_t next_update_s, const struct pki_revoked *revoked, size_t n)
{
	AUTO_X509 issuer_x509 = pki_x509(issuer->certificate);
	AUTO_PKEY signer = pki_private_key(issuer->key);
	AUTO_BIO bio = BIO_new(BIO_s_mem());
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *time = ASN1_TIME_new();

	PKI_MUST(bio != NULL && crl != NULL && time != NULL &&
		 X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
		 X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer_x509)) == 1);
	set_time(time, this_update_s);
	PKI_MUST(X509_CRL_set1_lastUpdate(crl, time) == 1);
	set_time(time, next_update_s);
	PKI_MUST(X509_CRL_set1_nextUpdate(crl, time) == 1);
	for (size_t i = 0; i < n; i++)
		add_revoked(crl, &revoked[i]);
	add_crl_extensions(crl, issuer_x509, number);
	PKI_MUST(X509_CRL_sort(crl) == 1 && X509_CRL_sign(crl, signer, pki_digest(signer)) > 0 &&
		 PEM_write_bio_X509_CRL(bio, crl) == 1);
	ASN1_TIME_free(time);
	X509_CRL_free(crl);
	return pki_text(arena, bio);
}
