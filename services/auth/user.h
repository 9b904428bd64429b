/*
 * user: people of a tenant. Runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"
#include "proto/auth.pb-c.h"

#include <stdbool.h>

extern const char *const user_roles[]; /* NULL-terminated; also those of API keys */

/* Removes the user if there is one. PERMISSION_DENIED (name): it is more than a member. */
err_t user_remove_member(struct call *call, const char *id) MUST_CHECK;

/* Sets a password that was checked, and ends the tokens of the user. */
err_t user_set_password(struct call *call, const char *id, const char *password) MUST_CHECK;

/* A new user whom no password lets in. ALREADY_EXISTS (name). */
err_t user_make(struct call *call, const char *name, const char *role, Auth__User *made) MUST_CHECK;

/* Gives the user a role, as an identity provider says, and ends the tokens of the one before. The
 * last active owner stays owner, and all do if the provider does not speak of owners. */
err_t user_take_role(
	struct call *call, const char *id, const char *role, bool of_owners) MUST_CHECK;

/* Blocks the user if there is one. FAILED_PRECONDITION: it is the last active owner. */
err_t user_block(struct call *call, const char *id) MUST_CHECK;
