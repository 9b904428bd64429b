/* server_key: the tls-crypt key of a profile, sealed in PostgreSQL. Runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"

const char *server_key_seal(struct call *call, const char *profile_id, const char *key);

/* The key of the profile with this name. */
err_t server_key_open(struct call *call, const char *profile_id, const char **key) MUST_CHECK;
