/* authority_make: makes authorities; see authority.h. The tenant's authorities are locked. */
#pragma once

#include "services/provision/authority.h"

/* What the key of an authority is sealed for. */
const char *authority_use(struct call *call, const char *id);

/* A new root in this state, with an issuing authority of the same state under it. */
err_t authority_make_root(struct call *call, const char *state) MUST_CHECK;

/* A new issuing authority under the active root, which signs from now on. `root_key` is NULL while
 * the root's key is here. */
err_t authority_make_issuing(struct call *call, const char *root_key, const char **id) MUST_CHECK;
