/*
 * credentials: what the Authorization header says about who asks, before anyone believes it.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"

enum credentials_kind {
	CREDENTIALS_NONE,
	CREDENTIALS_TOKEN,   /* Bearer ACCESS-TOKEN */
	CREDENTIALS_API_KEY, /* Bearer lyk_... */
	CREDENTIALS_DEVICE,  /* Basic DEVICE:SECRET (RFC 7617) */
};

struct credentials {
	enum credentials_kind kind;
	const char *device; /* CREDENTIALS_DEVICE */
	const char *secret; /* the token, the key, or the device's secret */
};

/* `header` may be NULL. Text is made in the call's arena. Anything of another form is
 * ERR_UNAUTHENTICATED. */
err_t credentials_parse(
	struct call *call, const char *header, struct credentials *credentials) MUST_CHECK;
