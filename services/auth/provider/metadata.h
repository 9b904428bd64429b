/*
 * metadata: what a provider tells of itself (OpenID Connect Discovery 1.0 section 4) and its keys,
 * kept for a while. Thread safe.
 */
#pragma once

#include "lib/call.h"

#include <stdbool.h>

struct metadata {
	const char *authorization_endpoint, *token_endpoint, *jwks_uri; /* https, in the arena */
	bool basic; /* takes a client's secret by HTTP Basic */
};

/* UNAVAILABLE: it is not there, or not as the standard says. */
err_t metadata_get(struct call *call, const char *issuer, struct metadata *metadata) MUST_CHECK;

/* The JSON of its key set; `again`: one that was seen lately is not good enough. */
err_t metadata_keys(struct call *call, const struct metadata *metadata, bool again,
	const char **jwks) MUST_CHECK;
