/*
 * pair: the WebSocket /pair, for clients with an access token. Nothing is said on it but what the
 * two clients say to each other. The loop's thread.
 */
#pragma once

#include "lib/token.h"

struct channel;
struct dataplane;

#define PAIR_WAIT_MS 60000

/* Makes the connection one that waits for its partner. */
void pair_create(struct dataplane *dataplane, struct channel *channel,
	const struct token_claims *claims, const char *nonce);
