/*
 * claim: asks rendezvous for an end's partner, and tells it when an end has gone. The loop's
 * thread; the calls run in a thread of its pool.
 */
#pragma once

#include "dataplane/relay/relay.h"

/* For struct relays_options; `context` is the struct dataplane. */
void claim_make(void *context, struct relay_end *end);
void claim_release(void *context, const char *tenant, const char *pair, const char *connection);
