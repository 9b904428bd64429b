/*
 * request: asks for the certificate of a key that is in a PKCS#11 token: uacme makes keys in files
 * only, but takes a request (PKCS #10). The loop's thread.
 */
#pragma once

#include "lib/err.h"

#define REQUEST_CERTIFICATE "request-cert.pem" /* what uacme makes of it, beside it */

/* Writes the request for `name` and all names right below it, into the folder that `folder` has for
 * the name, signed by the key of the URI; `file` is its path, malloc'ed. */
err_t request_write(const char *folder, const char *name, const char *pkcs11, char **file,
	struct fault *fault) MUST_CHECK;
