/*
 * identity: who asks, once it is believed: the tenant, the subject, and what it may do.
 */
#pragma once

#include "gateway/credentials.h"
#include "gateway/trust.h"

#include <stdbool.h>
#include <stddef.h>

#define IDENTITY_FLEET                                                                             \
	"00000000-0000-7000-8000-000000000000" /* the tenant of the fleet's operators */

struct identity {
	const char *tenant, *subject, *role;
	const char *const *scopes; /* none: all of the role */
	size_t n_scopes;
	bool by_token;		/* showed an access token, nothing that lasts */
	unsigned retry_after_s; /* of RESOURCE_EXHAUSTED; 0: soon */
};

/* Believes an access token by its signature, and asks auth about anything else. The identity is
 * made in the call's arena. */
err_t identity_find(struct call *call, struct trust *trust, const struct credentials *credentials,
	struct identity *identity) MUST_CHECK;

/* Asks auth about an API key, a device's secret or a user's password. `credential` is an
 * Auth__Credential. */
err_t identity_ask(struct call *call, const ProtobufCMessage *credential,
	struct identity *identity) MUST_CHECK;

bool identity_may(const struct identity *identity, const char *scope);
/* May it give these scopes to another credential? Only what it has itself; and one that is limited
 * to some scopes has to name them, since none would mean all. */
err_t identity_check_grant(struct call *call, const struct identity *identity, char *const scopes[],
	size_t n) MUST_CHECK;

bool identity_is_fleet(const struct identity *identity);
