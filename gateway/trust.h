/*
 * trust: which access tokens are believed: auth's key set, fetched over the bus and kept, and the
 * subjects that were revoked since. Verifying asks nobody. Thread safe.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"
#include "lib/svc.h"
#include "lib/token.h"

struct trust;

/* Starts to fetch; until the first key set is there the process is not ready (part "keys").
 * `issuer` is kept. */
struct trust *trust_start(struct svc *svc, const char *issuer);

/* Fetches no more, and uses neither svc nor the bus again; all else goes on. */
void trust_stop(struct trust *trust);

void trust_destroy(struct trust *trust); /* stopped before; NULL is fine */

/* ERR_UNAUTHENTICATED for all that is wrong with a token, ERR_UNAVAILABLE while there are no keys.
 */
err_t trust_verify(struct trust *trust, struct call *call, const char *token,
	struct token_claims *claims) MUST_CHECK;

/* The key set as JSON, in the arena; ERR_UNAVAILABLE while there is none. */
err_t trust_jwks(struct trust *trust, struct call *call, const char **jwks) MUST_CHECK;

/* What events tell. */
void trust_revoke(struct trust *trust, const char *subject, int64_t not_before);
void trust_refresh(struct trust *trust);
