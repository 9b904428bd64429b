/*
 * sign_token: access tokens for those whom a service vouches for. Runs in the thread of the call.
 */
#pragma once

/* Once, before the first thread; `issuer` is kept. */
void sign_token_open(const char *issuer);
