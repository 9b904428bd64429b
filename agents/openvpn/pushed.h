/* pushed: what the server of a profile tells its clients: routes, name servers. Over memory only.
 */
#pragma once

#include "agents/address.h"

#include <jansson.h>

#include <stdbool.h>

/* Makes lines `push "..."` of a profile, or of null; malloc'ed. `own` is the server's address, the
 * gateway of clients. False: it is no profile, or has something that can't stand in a line. */
bool pushed_read(const json_t *profile, const struct address *own, char **text);
