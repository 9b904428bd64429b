/*
 * admit: may the user whose certificate a VPN server was shown come in, now? Runs in the thread of
 * the call.
 */
#pragma once

#include "lib/call.h"

#include <stdbool.h>

struct admit_visit {
	const char *network; /* id, of the server */
	const char *
		profile_id; /* name of the profile that the server is for; "": any of the network */
	const char *serial; /* of the certificate, whose chain was verified */
	const char *username, *password;
	bool proven; /* with this certificate a code was shown there a while ago */
};

/* `refused` is why not, for people; NULL: come in. A known user who is refused finds a notice of
 * it. */
err_t admit_user(
	struct call *call, const struct admit_visit *visit, const char **refused) MUST_CHECK;
