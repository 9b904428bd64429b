/* tls_signature: see tls_signature.h. */
#include "lib/tls_signature.h"

#include "lib/base64.h"
#include "lib/tls_internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <sodium.h>

#include <string.h>

#define CERTIFICATES_MAX 8
#define SIGNATURE_MAX	 512

static err_t refuse(struct fault *fault, const char *why)
{
	ERR_clear_error();
	return fault_set(fault, ERR_UNAUTHENTICATED, "", "the signature is not good: %s", why);
}

static STACK_OF(X509) * read_certificates(const char *pem)
{
	STACK_OF(X509) *list = sk_X509_new_null();
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate;

	while (sk_X509_num(list) < CERTIFICATES_MAX &&
		(certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		sk_X509_push(list, certificate);
	BIO_free(bio);
	ERR_clear_error();
	return list;
}

static void free_certificates(STACK_OF(X509) * *list)
{
	sk_X509_pop_free(*list, X509_free);
}
#define AUTO_CERTIFICATES __attribute__((cleanup(free_certificates))) STACK_OF(X509) *

/* Why the first of the chain is not to be trusted; NULL: it is. */
static const char *judge_chain(STACK_OF(X509) * chain, STACK_OF(X509) * trust)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509_STORE *store = X509_STORE_new();
	const char *why = NULL;

	for (int i = 0; i < sk_X509_num(trust); i++)
		X509_STORE_add_cert(store, sk_X509_value(trust, i));
	X509_STORE_CTX_init(context, store, sk_X509_value(chain, 0), chain);
	if (X509_verify_cert(context) != 1)
		why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	return why;
}

/* A device's own certificate comes from the same root. */
static bool may_sign(X509 *signer)
{
	return (X509_get_extension_flags(signer) & EXFLAG_XKUSAGE) != 0 &&
	       (X509_get_extended_key_usage(signer) & XKU_CODE_SIGN) != 0 &&
	       (X509_get_key_usage(signer) & KU_DIGITAL_SIGNATURE) != 0;
}

static bool is_signed(X509 *signer, const char *text, const unsigned char *signature, size_t len)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool fine = EVP_DigestVerifyInit(
			    context, NULL, EVP_sha256(), NULL, X509_get0_pubkey(signer)) == 1 &&
		    EVP_DigestVerify(context, signature, len, (const unsigned char *)text,
			    strlen(text)) == 1;

	EVP_MD_CTX_free(context);
	return fine;
}

err_t tls_signature_check(
	const struct signed_text *signed_text, const char *trust, struct fault *fault)
{
	AUTO_CERTIFICATES chain = read_certificates(signed_text->chain);
	AUTO_CERTIFICATES roots = read_certificates(trust);
	unsigned char signature[SIGNATURE_MAX];
	const char *why;
	size_t len;

	if (sk_X509_num(chain) == 0 || sk_X509_num(roots) == 0)
		return refuse(fault, "there is no certificate with it, or none to trust");
	if (!base64_decode(signed_text->signature, strlen(signed_text->signature),
		    sodium_base64_VARIANT_ORIGINAL, signature, sizeof(signature), &len))
		return refuse(fault, "expected base64");
	if ((why = judge_chain(chain, roots)) != NULL)
		return refuse(fault, why);
	if (!may_sign(sk_X509_value(chain, 0)))
		return refuse(fault, "its certificate is not one for signing");
	if (!is_signed(sk_X509_value(chain, 0), signed_text->text, signature, len))
		return refuse(fault, "the text is not what was signed");
	ERR_clear_error();
	return OK;
}
