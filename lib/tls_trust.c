/* tls_trust: whose certificates a client believes. */
#include "lib/tls_internal.h"

#include "lib/mem.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#define READ_AHEAD (256 * 1024) /* bytes of records that one read() may bring */

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
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, READ_AHEAD);
	if (ca_pem != NULL ? !add_certificates(ctx, ca_pem)
			   : SSL_CTX_set_default_verify_paths(ctx) != 1) {
		SSL_CTX_free(ctx);
		return fault_set(fault, ERR_INVALID_ARGUMENT, "ca", "no certificates to trust: %s",
			ca_pem != NULL ? "none in the enrolment's --ca file"
				       : "install the package ca-certificates");
	}
	*out = xcalloc(1, sizeof(**out));
	(*out)->ctx = ctx;
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
