/*
 * tls_token: see tls_token.h. Engines are deprecated since OpenSSL 3.0, but Debian 12 has no
 * provider for PKCS#11.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "lib/tls_token.h"

#include "lib/mem.h"
#include "lib/tls_internal.h"

#include <openssl/engine.h>
#include <openssl/pem.h>
#include <openssl/ui.h>
#include <openssl/x509v3.h>

#include <string.h>

#define SCHEME "pkcs11:"

bool tls_token_is(const char *where)
{
	return strncmp(where, SCHEME, strlen(SCHEME)) == 0;
}

/* The engine, for as long as the process lives; NULL: there is none. */
static ENGINE *engine(void)
{
	static ENGINE *engine;

	if (engine != NULL)
		return engine;
	OPENSSL_init_crypto(OPENSSL_INIT_ENGINE_DYNAMIC, NULL);
	engine = ENGINE_by_id("pkcs11");
	if (engine != NULL && ENGINE_init(engine) != 1) {
		ENGINE_free(engine);
		engine = NULL;
	}
	return engine;
}

EVP_PKEY *tls_token_key(const char *uri, struct fault *fault)
{
	EVP_PKEY *key;

	if (strstr(uri, "pin-value") != NULL) {
		fault_set(fault, ERR_INVALID_ARGUMENT, "pkcs11",
			"expected pin-source=file:PATH in the key's URI: a PIN in it would be seen "
			"by others");
		return NULL;
	}
	if (engine() == NULL) {
		fault_set(fault, ERR_UNAVAILABLE, "pkcs11",
			"OpenSSL has no engine for PKCS#11: install libengine-pkcs11-openssl");
		return NULL;
	}
	/* Nobody is there to be asked for the PIN. */
	key = ENGINE_load_private_key(engine(), uri, (UI_METHOD *)(uintptr_t)UI_null(), NULL);
	if (key == NULL)
		fault_set(fault, ERR_UNAVAILABLE, "pkcs11",
			"no private key in a token is %.150s, or its PIN is wrong: %s", uri,
			tls_queue_says());
	return key;
}

err_t tls_token_check(const char *uri, struct fault *fault)
{
	EVP_PKEY *key = tls_token_key(uri, fault);

	EVP_PKEY_free(key);
	return key != NULL ? OK : ERR_UNAVAILABLE;
}

/* ---- requests ---- */

static void add_names(X509_REQ *request, const char *const *names, size_t n)
{
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	AUTO_FREE char *text = xstrdup("");
	X509_EXTENSION *extension;

	for (size_t i = 0; i < n; i++) {
		char *longer = xasprintf("%s%sDNS:%s", text, i > 0 ? "," : "", names[i]);

		free(text);
		text = longer;
	}
	extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);
	if (extension == NULL || sk_X509_EXTENSION_push(extensions, extension) <= 0 ||
		X509_REQ_add_extensions(request, extensions) != 1)
		BUG("can't put %s into a request: %s", text, tls_queue_says());
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

err_t tls_token_request(
	const char *uri, const char *const *names, size_t n, char **csr, struct fault *fault)
{
	EVP_PKEY *key = tls_token_key(uri, fault);
	X509_REQ *request = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;
	err_t err = key != NULL ? OK : ERR_UNAVAILABLE;

	if (request == NULL || bio == NULL)
		BUG("no memory for a request");
	if (key != NULL) {
		add_names(request, names, n);
		/* The token may have been taken away. */
		if (X509_REQ_set_pubkey(request, key) != 1 ||
			X509_REQ_sign(request, key, EVP_sha256()) <= 0 ||
			PEM_write_bio_X509_REQ(bio, request) != 1)
			err = fault_set(fault, ERR_UNAVAILABLE, "pkcs11",
				"the token does not sign: %s", tls_queue_says());
	}
	if (err == OK) {
		len = BIO_get_mem_data(bio, &data);
		*csr = xasprintf("%.*s", (int)len, data);
	}
	BIO_free(bio);
	X509_REQ_free(request);
	EVP_PKEY_free(key);
	return err;
}
