/*
 * claim: asks rendezvous for a guest's partner, and tells it what guests have sent and when one has
 * gone. The loop's
 * thread; the calls run in a thread of its pool.
 */
#pragma once

#include "dataplane/relay/guest.h"

/* Asks, and tells the guest what it is: guest_wait, guest_meet_here, guest_refuse, or a link to the
 * node of the other one. */
void claim_make(struct dataplane *dataplane, const struct guest *guest);

void claim_release(struct dataplane *dataplane, const char *tenant, const char *pair,
	const char *connection, uint64_t bytes);

/* It lives on, and has sent so much until now. */
void claim_count(struct dataplane *dataplane, const char *tenant, const char *pair,
	const char *connection, uint64_t bytes);
