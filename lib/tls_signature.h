/*
 * tls_signature: whether a text was signed by somebody whom a root lets sign. Over memory only; any
 * thread.
 */
#pragma once

#include "lib/err.h"

struct signed_text {
	const char *text;
	const char *signature; /* over SHA-256 of it, in base64 */
	const char *chain;     /* PEM: the signer's certificate, then those between it and a root */
};

/* OK: the signature is the signer's, whose certificate is for code signing, in its time, and comes
 * from one of the roots in `trust` (PEM). Else ERR_UNAUTHENTICATED, with what is wrong. */
err_t tls_signature_check(
	const struct signed_text *signed_text, const char *trust, struct fault *fault) MUST_CHECK;
