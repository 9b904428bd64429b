/*
 * admit: may the user whose certificate a VPN server was shown come in, now? Runs in the thread of
 * the call.
 */
#pragma once

#include "lib/call.h"

#include <stdbool.h>

struct admission {
	const char *refused; /* why, for people; NULL: come in */
	const char *user, *user_name, *client_id;
	bool two_factor; /* a code is needed, which auth checks */
};

/*
 * `network` is the id of the server's; `profile_id` the name of the profile that the server is for,
 * or "" for any of the network. `serial` is that of the certificate, whose chain was verified. A
 * known user who is refused finds a notice of it.
 */
err_t admit_user(struct call *call, const char *network, const char *profile_id, const char *serial,
	struct admission *admission) MUST_CHECK;
