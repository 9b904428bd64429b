/* tls_trust: whose certificates a client believes. */
#include "lib/tls_internal.h"

#include "lib/mem.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

struct tls_trust {
	SSL_CTX *ctx;
};

static bool add_certificates(SSL_CTX *ctx, const char *pem)
{
	BIO *memory = BIO_new_mem_buf(pem, -1);
	X509 *certificate;
	size_t n = 0;

	while (memory != NULL &&
		(certificate = PEM_read_bio_X509(memory, NULL, NULL, NULL)) != NULL) {
		n += X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate) == 1;
		X509_free(certificate);
	}
	ERR_clear_error(); /* the end of the text is an error to it */
	BIO_free(memory);
	return n > 0;
}

err_t tls_trust_create(struct tls_trust **out, const char *ca_pem, struct fault *fault)
{
	static const unsigned char http[] = "\x08http/1.1";
	SSL_CTX *ctx = tls_context_new(TLS_client_method());

	if (SSL_CTX_set_alpn_protos(ctx, http, sizeof(http) - 1) != 0)
		BUG("no TLS client: %s", tls_queue_says());
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_set_default_verify_paths(ctx) != 1)
		BUG("no paths of the system's certificates: %s", tls_queue_says());
	if (ca_pem != NULL && !add_certificates(ctx, ca_pem)) {
		SSL_CTX_free(ctx);
		return fault_set(fault, ERR_INVALID_ARGUMENT, "ca",
			"the file of --ca holds no certificate in PEM");
	}
	*out = xcalloc(1, sizeof(**out));
	(*out)->ctx = ctx;
	return OK;
}

void tls_trust_anybody(struct tls_trust *trust)
{
	SSL_CTX_set_verify(trust->ctx, SSL_VERIFY_NONE, NULL);
}

/* The key of the certificate that the client shows. */
static bool use_key(SSL_CTX *ctx, const char *pem)
{
	BIO *memory = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = memory != NULL ? PEM_read_bio_PrivateKey(memory, NULL, NULL, "") : NULL;
	bool used = key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1;

	EVP_PKEY_free(key);
	BIO_free(memory);
	return used;
}

/* The first certificate is the client's own, those after it lead to an authority. */
static bool use_chain(SSL_CTX *ctx, const char *pem)
{
	BIO *memory = BIO_new_mem_buf(pem, -1);
	X509 *certificate;
	size_t n = 0;
	bool good = true;

	while (memory != NULL && good &&
		(certificate = PEM_read_bio_X509(memory, NULL, NULL, NULL)) != NULL) {
		good = (n == 0 ? SSL_CTX_use_certificate(ctx, certificate)
			       : SSL_CTX_add1_chain_cert(ctx, certificate)) == 1;
		X509_free(certificate);
		n++;
	}
	ERR_clear_error(); /* the end of the text is an error to it */
	BIO_free(memory);
	return good && n > 0;
}

err_t tls_trust_present(
	struct tls_trust *trust, const char *chain_pem, const char *key_pem, struct fault *fault)
{
	if (!use_chain(trust->ctx, chain_pem))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "crt",
			"--crt: expected certificates in PEM, the own one first");
	if (!use_key(trust->ctx, key_pem))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "key",
			"--key: expected the certificate's private key in PEM, without a "
			"passphrase: "
			"%s",
			tls_queue_says());
	return OK;
}

void tls_trust_destroy(struct tls_trust *trust)
{
	if (trust == NULL)
		return;
	SSL_CTX_free(trust->ctx);
	free(trust);
}

SSL_CTX *tls_trust_context(const struct tls_trust *trust)
{
	return trust->ctx;
}
