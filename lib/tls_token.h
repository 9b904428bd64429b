/*
 * tls_token: private keys that never leave a PKCS#11 token (a TPM, a smart card, an HSM), named by
 * URIs (RFC 7512). OpenSSL's engine "pkcs11" reaches them, by the modules that p11-kit knows. One
 * thread.
 */
#pragma once

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Is it the URI of a key in a token, rather than the path of a file? */
bool tls_token_is(const char *where);

/* Looks whether the key can be used. */
err_t tls_token_check(const char *uri, struct fault *fault) MUST_CHECK;

/* Writes a request (PKCS #10, PEM) for a certificate of these names, signed by the key; malloc'ed.
 */
err_t tls_token_request(const char *uri, const char *const *names, size_t n, char **csr,
	struct fault *fault) MUST_CHECK;
