/*
 * api_key: making a key, for whoever may; also at the first start. Runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"
#include "proto/auth.pb-c.h"

/* The request was checked. ALREADY_EXISTS (name). */
err_t api_key_create(struct call *call, const Auth__CreateApiKeyRequest *request,
	Auth__ApiKey *reply) MUST_CHECK;
