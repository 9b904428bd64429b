/*
 * verifier: is this access token good, here and now? Offline: with the keys and the revocations
 * that were last told. The loop's thread.
 */
#pragma once

#include "lib/err.h"
#include "lib/token.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct verifier;

/* `issuer` is kept. */
struct verifier *verifier_create(const char *issuer);
void verifier_destroy(struct verifier *verifier); /* NULL is fine */

/* Takes the keys, in the place of the ones before. */
void verifier_set_keys(struct verifier *verifier, struct token_keys *keys);

/* Was the subject revoked after that second? For secrets that others have judged. */
bool verifier_has_revoked(const struct verifier *verifier, const char *subject, int64_t issued_at);

/* See revoked_add; forgets what no token is old enough for. */
void verifier_revoke(
	struct verifier *verifier, const char *subject, int64_t not_before, int64_t now_s);

/* Tokens of the member, or for the network, with an earlier policy or rules than this version are
 * refused from now on. */
void verifier_renew(struct verifier *verifier, const char *id, int64_t version, int64_t now_s);

/* ERR_UNAVAILABLE while there are no keys, ERR_NOT_FOUND for a key that is not known (it may be
 * new), ERR_UNAUTHENTICATED for all else that is wrong. */
err_t verifier_check(const struct verifier *verifier, const char *token, size_t len, int64_t now_s,
	struct token_claims *claims) MUST_CHECK;

/* The claims of a token that was good once, whatever its times are: of a session that lives. Errors
 * as verifier_check. */
err_t verifier_recall(
	const struct verifier *verifier, const char *token, struct token_claims *claims) MUST_CHECK;

/* May the bearer of the claims do what the scope names (lib/access.h)? */
bool verifier_allows(const struct token_claims *claims, const char *scope);
