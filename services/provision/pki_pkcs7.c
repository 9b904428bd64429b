/* pki_pkcs7: see pki.h. Any thread. */
#include "services/provision/pki_internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>

#include <string.h>

PKI_AUTO(PKCS7, PKCS7)
#define AUTO_PKCS7 __attribute__((cleanup(PKCS7_free_at))) PKCS7 *

/* The lines between those that say what it is. */
static char *body(char *pem)
{
	char *first = strchr(pem, '\n');
	char *last = first != NULL ? strstr(first, "-----END") : NULL;

	PKI_MUST(last != NULL);
	*last = '\0';
	return first + 1;
}

char *pki_pkcs7(struct arena *arena, const char *certificates)
{
	AUTO_PKCS7 bundle = PKCS7_new();
	AUTO_BIO in = BIO_new_mem_buf(certificates, -1);
	AUTO_BIO out = BIO_new(BIO_s_mem());
	X509 *certificate;

	PKI_MUST(bundle != NULL && in != NULL && out != NULL);
	PKI_MUST(PKCS7_set_type(bundle, NID_pkcs7_signed));
	PKI_MUST(PKCS7_content_new(bundle, NID_pkcs7_data));
	PKI_MUST(PKCS7_set_detached(bundle, 1));
	while ((certificate = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
		PKI_MUST(PKCS7_add_certificate(bundle, certificate));
		X509_free(certificate);
	}
	ERR_clear_error(); /* that of the end of the text */
	PKI_MUST(PEM_write_bio_PKCS7(out, bundle));
	return body((char *)(uintptr_t)pki_text(arena, out));
}
