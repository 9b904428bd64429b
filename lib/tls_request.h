/*
 * tls_request: a key and the request for a certificate for it (PKCS #10). Any thread.
 */
#pragma once

#include "lib/err.h"

/* Makes a key on P-256 as PKCS #8 in PEM; malloc'ed. */
char *tls_request_key(void);

/* Writes a signing request for the key, whose subject is empty: who signs it chooses that.
 * ERR_DATA_LOSS: it is no key. */
err_t tls_request_sign(const char *key, char **csr, struct fault *fault) MUST_CHECK;
