/*
 * trusted_list: a signed list of the sites that a tenant trusts, in the form of VPN apps' instance
 * lists (`lanyard instances` makes it). Runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"
#include "proto/federation.pb-c.h"

#define TRUSTED_LIST_MAX 100 /* instances: each is tried with a token */

/* Checks the signature, then the list, and fills public_key, seq and instances. INVALID_ARGUMENT
 * (public_key, signature, list). */
err_t trusted_list_read(struct call *call, const Auth__FederationList *request,
	Auth__Federation *federation) MUST_CHECK;
