/*
 * store_kite: the tokens of names once more, sealed, for those whose clients sign with them instead
 * of showing them (kite.h). Kept only if the operator wants PageKite. In the call's transaction;
 * wants CALL_FLEET.
 */
#pragma once

#include "lib/call.h"
#include "services/dns/kite.h"

#include <stdbool.h>

/* Are they kept? Set once at start; store_kite_forget is for when they are not any more. */
void store_kite_init(bool kept);
err_t store_kite_forget(struct call *call) MUST_CHECK;

/* Keeps the token of the registration, if tokens are kept and it isn't yet. */
err_t store_kite_keep(
	struct call *call, const char *tenant, const char *id, const char *token) MUST_CHECK;

/* The token that was sealed; "" if there is none, or it can't be opened. */
void store_kite_open(const char *sealed, char secret[KITE_SECRET_LEN]);
