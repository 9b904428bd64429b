/*
 * relay: pairs of connections whose messages flow into each other. The loop's thread.
 *
 * An end waits until the other one comes; what it sends meanwhile is kept, and when that is much,
 * it is not read any further. The same holds when its partner reads slowly. Messages are passed on
 * piece by piece, text as text and binary as binary, so they may have any length. When one end
 * closes, the other one gets what is still on its way to it, and is closed then.
 */
#pragma once

#include "dataplane/net/channel.h"
#include "dataplane/net/queue.h"
#include "lib/uuid.h"
#include "lib/token.h"

#include <stdbool.h>
#include <stdint.h>

#define RELAY_WAIT_MS 60000

#define RELAY_NONCE_MAX 128

struct relay_end;
struct relays;

/* What the pairs are made by. */
struct relays_options {
	void *context;
	/* The end is open: find its partner, and call one of the four functions below. */
	void (*claim)(void *context, struct relay_end *end);
	/* The connection of a pair is gone. */
	void (*release)(
		void *context, const char *tenant, const char *pair, const char *connection);
};

struct relays *relays_create(const struct relays_options *options);
void relays_destroy(struct relays *relays); /* all must be closed; NULL is fine */

/* Makes the connection an end. */
void relay_create(struct relays *relays, struct channel *channel, const struct token_claims *claims,
	const char *nonce);

/* Who it is, for the claim; good while the end lives. */
struct relay_claim {
	const char *tenant;
	const char *subject;
	const char *token_id;
	const char *nonce;
	const char *connection;
};
void relay_describe(const struct relay_end *end, struct relay_claim *claim);

/* The end with that connection id; NULL if it is gone. */
struct relay_end *relay_find(struct relays *relays, const char *connection);

/* The claim was granted: the end belongs to the pair and waits for its partner, for RELAY_WAIT_MS.
 */
void relay_wait(struct relay_end *end, const char *pair);

/* The claim was granted, and the partner is the end with that connection id. */
void relay_join(struct relay_end *end, const char *pair, const char *partner);

/* The claim was not granted, or the pair can't be made here. */
void relay_refuse(struct relay_end *end, const char *pair, enum ws_status code, const char *reason);

/* Ends the connections of a pair. */
void relays_end_pair(struct relays *relays, const char *pair);

/* Ends the connections of a subject whose tokens were issued before `not_before`. */
void relays_end_subject(struct relays *relays, const char *subject, int64_t not_before);
