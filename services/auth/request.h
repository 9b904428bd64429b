/*
 * request: the checks that several handlers make of their requests, and the uniform refusal. All
 * fill call->fault. Runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"
#include "proto/auth.pb-c.h"

#include <stdint.h>

#define REQUEST_NAME_MAX 128

/* The name of a user or key. */
err_t request_check_name(struct call *call, const char *name) MUST_CHECK;

/* Cursor and name of a list. */
err_t request_check_list(struct call *call, const Auth__ListRequest *request) MUST_CHECK;

/* An update for a version of a thing, 0 for any: is it as its sender saw it? */
err_t request_check_version(struct call *call, int64_t wanted, int64_t is) MUST_CHECK;

#define REQUEST_UNAUTHENTICATED "the credential is not valid"

/* The one answer to every credential that is wrong, whatever is wrong with it. */
err_t request_unauthenticated(struct call *call) MUST_CHECK;
