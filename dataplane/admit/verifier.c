/*
 * verifier: token_verify with the current keys, then the revocations.
 */
#include "dataplane/admit/verifier.h"

#include "dataplane/admit/versions.h"
#include "lib/access.h"
#include "lib/mem.h"
#include "lib/revoked.h"

#include <string.h>

#define REVOKED_KEEP_S 3600 /* longer than any token lives */

struct verifier {
	const char *issuer;
	struct token_keys *keys;
	struct revoked *revoked;
	struct versions *versions;
};

struct verifier *verifier_create(const char *issuer)
{
	struct verifier *verifier = xcalloc(1, sizeof(*verifier));

	verifier->issuer = issuer;
	verifier->revoked = revoked_create();
	verifier->versions = versions_create();
	return verifier;
}

void verifier_destroy(struct verifier *verifier)
{
	if (!verifier)
		return;
	token_keys_destroy(verifier->keys);
	revoked_destroy(verifier->revoked);
	versions_destroy(verifier->versions);
	free(verifier);
}

void verifier_set_keys(struct verifier *verifier, struct token_keys *keys)
{
	token_keys_destroy(verifier->keys);
	verifier->keys = keys;
}

void verifier_revoke(
	struct verifier *verifier, const char *subject, int64_t not_before, int64_t now_s)
{
	revoked_prune(verifier->revoked, now_s - REVOKED_KEEP_S);
	revoked_add(verifier->revoked, subject, not_before);
}

bool verifier_has_revoked(const struct verifier *verifier, const char *subject, int64_t issued_at)
{
	return revoked_has(verifier->revoked, subject, issued_at);
}

void verifier_renew(struct verifier *verifier, const char *id, int64_t version, int64_t now_s)
{
	versions_add(verifier->versions, id, version, now_s);
}

err_t verifier_check(const struct verifier *verifier, const char *token, size_t len, int64_t now_s,
	struct token_claims *claims)
{
	err_t err;

	if (!verifier->keys)
		return ERR_UNAVAILABLE;
	err = token_verify(verifier->keys, token, len, verifier->issuer, now_s, claims);
	if (err == OK && (revoked_has_token(verifier->revoked, claims) ||
				 versions_refuse(verifier->versions, claims)))
		err = ERR_UNAUTHENTICATED;
	return err;
}

err_t verifier_recall(
	const struct verifier *verifier, const char *token, struct token_claims *claims)
{
	err_t err;

	if (!verifier->keys)
		return ERR_UNAVAILABLE;
	err = token_read(verifier->keys, token, strlen(token), verifier->issuer, claims);
	return err == OK && revoked_has_token(verifier->revoked, claims) ? ERR_UNAUTHENTICATED
									 : err;
}

bool verifier_allows(const struct token_claims *claims, const char *scope)
{
	const char *scopes[TOKEN_SCOPES_MAX];

	for (size_t i = 0; i < claims->n_scopes; i++)
		scopes[i] = claims->scopes[i];
	return access_allows(claims->role, scopes, claims->n_scopes, scope);
}
