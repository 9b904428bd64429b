/*
 * id_token: is an ID token good (OpenID Connect Core 1.0 section 3.1.3.7), and what does it say?
 * RS256 and ES256 only, whatever the header asks for. The only code that sees cjose. No state; any
 * thread.
 */
#pragma once

#include "lib/call.h"

#include <stddef.h>
#include <stdint.h>

#define ID_TOKEN_MAX	    16384 /* bytes */
#define ID_TOKEN_GROUPS_MAX 256

struct id_token_wanted {
	const char *issuer, *client_id, *nonce;
	const char *user_claim, *group_claim; /* "": none */
	int64_t now;			      /* Unix seconds */
};

struct id_token {
	const char *subject, *user; /* texts are in the call's arena; user "" if it isn't told */
	char **groups;
	size_t n_groups;
};

/* UNAUTHENTICATED: it is not; the fault says why. NOT_FOUND: it is signed with a key that `jwks`,
 * the JSON of a key set, does not have. */
err_t id_token_read(struct call *call, const char *token, const char *jwks,
	const struct id_token_wanted *wanted, struct id_token *out) MUST_CHECK;
