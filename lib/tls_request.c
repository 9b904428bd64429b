/* tls_request: see tls_request.h. */
#include "lib/tls_request.h"

#include "lib/mem.h"
#include "lib/tls_internal.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <string.h>

/* What was written, as a text; the BIO is gone then. */
static char *text_of(BIO *bio)
{
	char *data, *text;
	long len = BIO_get_mem_data(bio, &data);

	text = xmalloc((size_t)len + 1);
	memcpy(text, data, (size_t)len);
	text[len] = '\0';
	BIO_free(bio);
	return text;
}

char *tls_request_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	BIO *bio = BIO_new(BIO_s_secmem());

	if (key == NULL || bio == NULL ||
		PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
		BUG("can't make a key: %s", tls_queue_says());
	EVP_PKEY_free(key);
	return text_of(bio);
}

static char *sign(EVP_PKEY *key)
{
	X509_REQ *request = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());

	if (request == NULL || bio == NULL || X509_REQ_set_pubkey(request, key) != 1 ||
		X509_REQ_sign(request, key, EVP_sha256()) <= 0 ||
		PEM_write_bio_X509_REQ(bio, request) != 1)
		BUG("can't sign a request: %s", tls_queue_says());
	X509_REQ_free(request);
	return text_of(bio);
}

err_t tls_request_sign(const char *key, char **csr, struct fault *fault)
{
	BIO *bio = BIO_new_mem_buf(key, -1);
	EVP_PKEY *read = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	if (read == NULL)
		return fault_set(fault, ERR_DATA_LOSS, "", "there is no key: %s", tls_queue_says());
	*csr = sign(read);
	EVP_PKEY_free(read);
	return OK;
}
