/*
 * peer: what people's apps may connect to a WireGuard server with: a public key with an address of
 * the network, from /connect until it ends. It ends with the app's authorization, its expiry, or
 * what its user may. Runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"
#include "proto/event.pb-c.h"
#include "proto/profile.pb-c.h"

#include <stdint.h>

/* 32 bytes in Base64, as its only text. INVALID_ARGUMENT (public_key). */
err_t peer_check_key(struct call *call, const char *public_key) MUST_CHECK;

/* Of the interfaces on both sides, when the network's is `network_mtu`. */
uint32_t peer_mtu(uint32_t network_mtu);

/* What an app is to get. */
struct peer_wanted {
	const Provision__App *app;
	const Provision__Profile *profile;
	const char *public_key;
};

/*
 * Adds a peer to that server of the profile that is up and has the fewest; `reply` becomes the
 * app's configuration. What the same authorization had before has ended by then, and its address is
 * taken again. FAILED_PRECONDITION (server): none is up; RESOURCE_EXHAUSTED (network): no address
 * is left, or no server has room; INVALID_ARGUMENT (public_key): another user connects with it.
 */
err_t peer_add(struct call *call, const struct peer_wanted *wanted,
	Provision__AppConfig *reply) MUST_CHECK;

/* End: those of an authorization; of a user up to the peer or certificate `last`; of a profile, by
 * its name; of a server. */
err_t peer_end_authorization(
	struct call *call, const char *authorization, const char *reason) MUST_CHECK;
err_t peer_end_oldest(struct call *call, const char *user, const char *last) MUST_CHECK;
err_t peer_end_profile(struct call *call, const char *profile_id) MUST_CHECK;
err_t peer_end_server(struct call *call, const char *server) MUST_CHECK;

/* Those of a profile are judged anew, since it has changed. */
err_t peer_profile_changed(struct call *call, const char *profile_id) MUST_CHECK;

/* The events of auth. */
err_t peer_revoked(struct call *call, const Event__Revoked *event) MUST_CHECK;
err_t peer_groups_changed(struct call *call, const Event__GroupsChanged *event) MUST_CHECK;

/* Tasks: end those whose time is over; judge those that are to be; forget old ones. */
err_t peer_end_over(struct call *call) MUST_CHECK;
err_t peer_judge(struct call *call) MUST_CHECK;
err_t peer_forget(struct call *call) MUST_CHECK;

void peer_open(void); /* registers its metrics */
