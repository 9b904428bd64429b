/*
 * privileges: a process that was started by root goes on as somebody else. Any thread; all threads
 * of the process change.
 */
#pragma once

#include "lib/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct privileges {
	uid_t user;
	gid_t group;
	bool network; /* set after privileges_find: keeps CAP_NET_ADMIN, in the calling thread */
};

/* From now on the process leaves no core dump behind, and nobody but root looks into its memory:
 * there are secrets in it. Again after a change of user. */
void privileges_hide(void);

/*
 * Finds a user and a group by name or number; root is refused. Without a group ("") it is the
 * user's own; both "" : nobody is meant, and dropping does nothing. The fault's field is "user" or
 * "group".
 */
err_t privileges_find(struct privileges *privileges, const char *user, const char *group,
	struct fault *fault) MUST_CHECK;

/* Becomes that user for good: no other groups, no other capabilities. */
err_t privileges_drop(const struct privileges *privileges, struct fault *fault) MUST_CHECK;
