/*
 * access: which role may do what. The one table of roles and scopes, read by auth (which scopes a
 * key may be given) and by the gateway (whether a caller may use an endpoint). Thread safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool access_role_known(const char *role);
bool access_scope_known(const char *scope);

/* May a caller with this role do `wanted`? `scopes` narrow the role and never widen it; none at all
 * (n_scopes 0) is the whole role. An unknown role or scope may nothing. */
bool access_allows(
	const char *role, const char *const scopes[], size_t n_scopes, const char *wanted);

/* May such a caller do all that somebody of the role `other` may? */
bool access_covers(
	const char *role, const char *const scopes[], size_t n_scopes, const char *other);
