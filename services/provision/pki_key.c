/* pki_key: private keys, public keys and signing requests; see pki.h. */
#include "services/provision/pki_internal.h"

#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>

#include <string.h>

#define ENCRYPT_ITERATIONS 100000
#define RSA_BITS_MIN	   2048
#define RSA_BITS_MAX	   4096

void pki_bug(const char *expression)
{
	char text[256];

	ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
	BUG("%s: %s", expression, text);
}

const char *pki_text(struct arena *arena, BIO *bio)
{
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);
	const char *text = arena_strndup(arena, bytes, (size_t)len);

	OPENSSL_cleanse(bytes, (size_t)len);
	return text;
}

/* ---- reading ---- */

/* A passphrase is never asked for on the terminal. */
static int no_passphrase(char *buffer, int size, int rwflag, void *arg)
{
	(void)buffer, (void)size, (void)rwflag, (void)arg;
	return 0;
}

static BIO *memory(const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, -1);

	PKI_MUST(bio != NULL);
	return bio;
}

/* OpenSSL takes twice as long when it has to find out which kind of key it is. */
EVP_PKEY *pki_private_key(const char *pem)
{
	const unsigned char *at = (const unsigned char *)pem;
	size_t len = strlen(pem);
	EVP_PKEY *key = NULL;
	OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(
		&key, "PEM", "PrivateKeyInfo", "EC", EVP_PKEY_KEYPAIR, NULL, NULL);

	PKI_MUST(decoder != NULL && OSSL_DECODER_from_data(decoder, &at, &len) == 1);
	OSSL_DECODER_CTX_free(decoder);
	return key;
}

EVP_PKEY *pki_public_key(const char *pem)
{
	AUTO_BIO bio = memory(pem);
	EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);

	PKI_MUST(key != NULL);
	return key;
}

X509 *pki_x509(const char *pem)
{
	AUTO_BIO bio = memory(pem);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	PKI_MUST(certificate != NULL);
	return certificate;
}

const EVP_MD *pki_digest(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
}

/* ---- keys ---- */

static const char *private_text(struct arena *arena, EVP_PKEY *key)
{
	AUTO_BIO bio = BIO_new(BIO_s_mem());

	PKI_MUST(bio != NULL &&
		 PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
	return pki_text(arena, bio);
}

static const char *public_text(struct arena *arena, EVP_PKEY *key)
{
	AUTO_BIO bio = BIO_new(BIO_s_mem());

	PKI_MUST(bio != NULL && PEM_write_bio_PUBKEY(bio, key) == 1);
	return pki_text(arena, bio);
}

const char *pki_key_create(struct arena *arena, const char **public_key)
{
	AUTO_PKEY key = EVP_EC_gen("P-256");

	PKI_MUST(key != NULL);
	*public_key = public_text(arena, key);
	return private_text(arena, key);
}

const char *pki_key_encrypt(struct arena *arena, const char *key, const char *passphrase)
{
	AUTO_PKEY private = pki_private_key(key);
	AUTO_BIO bio = BIO_new(BIO_s_mem());
	PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(private);
	X509_SIG *sealed;

	PKI_MUST(bio != NULL && plain != NULL);
	sealed = PKCS8_encrypt(-1, EVP_aes_256_cbc(), passphrase, (int)strlen(passphrase), NULL, 0,
		ENCRYPT_ITERATIONS, plain);
	PKI_MUST(sealed != NULL && PEM_write_bio_PKCS8(bio, sealed) == 1);
	X509_SIG_free(sealed);
	PKCS8_PRIV_KEY_INFO_free(plain);
	return pki_text(arena, bio);
}

err_t pki_key_decrypt(struct call *call, const char *text, const char *passphrase, const char **key)
{
	AUTO_BIO bio = memory(text);
	AUTO_PKEY private = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)(uintptr_t)passphrase);

	ERR_clear_error();
	if (private == NULL || !EVP_PKEY_is_a(private, "EC"))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "root_key",
			"expected the key as it was taken offline, and its passphrase");
	*key = private_text(call->arena, private);
	return OK;
}

bool pki_key_fits(const char *key, const char *certificate)
{
	AUTO_PKEY private = pki_private_key(key);
	AUTO_X509 x509 = pki_x509(certificate);
	bool fits = X509_check_private_key(x509, private) == 1;

	ERR_clear_error();
	return fits;
}

/* ---- signing requests ---- */

static bool is_strong(const EVP_PKEY *key)
{
	char group[32];
	size_t len;
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_is_a(key, "ED25519"))
		return true;
	if (EVP_PKEY_is_a(key, "RSA"))
		return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
	return EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1 &&
	       (strcmp(group, SN_X9_62_prime256v1) == 0 || strcmp(group, SN_secp384r1) == 0);
}

static err_t check_request(struct call *call, X509_REQ *request, const char **public_key)
{
	EVP_PKEY *key = request != NULL ? X509_REQ_get0_pubkey(request) : NULL;

	if (key == NULL)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "csr",
			"expected a certificate signing request (PKCS #10) in PEM");
	if (!is_strong(key))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "csr",
			"expected a key on P-256, P-384 or Ed25519, or RSA of %d to %d bits",
			RSA_BITS_MIN, RSA_BITS_MAX);
	if (X509_REQ_verify(request, key) != 1)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "csr",
			"expected a request that is signed by its own key");
	*public_key = public_text(call->arena, key);
	return OK;
}

err_t pki_csr_read(struct call *call, const char *csr, const char **public_key)
{
	AUTO_BIO bio = NULL;
	X509_REQ *request;
	err_t err;

	if (strlen(csr) > PKI_CSR_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "csr", "expected at most %d bytes",
			PKI_CSR_MAX);
	bio = memory(csr);
	request = PEM_read_bio_X509_REQ(bio, NULL, no_passphrase, NULL);
	err = check_request(call, request, public_key);
	X509_REQ_free(request);
	ERR_clear_error();
	return err;
}
