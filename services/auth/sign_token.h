/*
 * sign_token: access tokens for those whom a service vouches for. Runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"
#include "proto/auth.pb-c.h"

/* Once, before the first thread; `issuer` is kept. */
void sign_token_open(const char *issuer);
const char *sign_token_issuer(void);

/* As the method SignToken, also for a subject that is not active. */
err_t sign_token_unchecked(
	struct call *call, const Auth__SignTokenRequest *request, Auth__Token *reply) MUST_CHECK;

/* May who has this subject have a token now? UNAUTHENTICATED if not; else it stays so until the
 * transaction ends, and no token that was signed before the second `from` is good. */
err_t sign_token_check_active(struct call *call, const char *subject, long long *from) MUST_CHECK;
