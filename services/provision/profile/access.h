/*
 * access: which profiles are open to a person, by what auth says of its groups at this moment. Runs
 * in the thread of the call.
 */
#pragma once

#include "lib/call.h"
#include "proto/auth.pb-c.h"
#include "proto/profile.pb-c.h"

#include <stdbool.h>

#define PROFILE_OPENVPN	  "openvpn"
#define PROFILE_WIREGUARD "wireguard"

bool access_is_open(const Provision__Profile *profile, const Auth__User *person);

/* Is it among those that apps may use with the profile? */
bool access_has_protocol(const Provision__Profile *profile, const char *protocol);

/* All that are open to the person, at most 200. */
err_t access_list(
	struct call *call, const Auth__User *person, Provision__ProfileList *list) MUST_CHECK;

/* The one with this name, for the user with this id. NOT_FOUND (profile_id) if there is none or it
 * is not open to the user, INVALID_ARGUMENT (profile_id) if it can't be a name. */
err_t access_find(struct call *call, const char *user, const char *profile_id,
	const Provision__Profile **profile) MUST_CHECK;

/* The same for a person whom auth has told of. */
err_t access_find_for(struct call *call, const Auth__User *person, const char *profile_id,
	const Provision__Profile **profile) MUST_CHECK;
