/*
 * access: a row a scope, with the roles that have it.
 */
#include "lib/access.h"

#include "lib/mem.h"

#include <string.h>

enum role {
	OWNER = 1 << 0,
	ADMIN = 1 << 1,
	OPERATOR = 1 << 2,
	AUDITOR = 1 << 3,
	MEMBER = 1 << 4,
	DEVICE = 1 << 5,
};

static const struct {
	const char *name;
	unsigned bit;
} roles[] = {
	{ "owner", OWNER },
	{ "admin", ADMIN },
	{ "operator", OPERATOR },
	{ "auditor", AUDITOR },
	{ "member", MEMBER },
	{ "device", DEVICE },
};

/* clang-format off */
static const struct {
	const char *name;
	unsigned roles;
} grants[] = {
	{ "tenants:read",         OWNER | ADMIN | AUDITOR },
	{ "tenants:write",        OWNER | ADMIN },
	{ "tenants:delete",       OWNER },
	{ "tenants:export",       OWNER | ADMIN },
	{ "users:read",           OWNER | ADMIN | AUDITOR },
	{ "users:write",          OWNER | ADMIN },
	{ "api-keys:read",        OWNER | ADMIN | AUDITOR },
	{ "api-keys:write",       OWNER | ADMIN },
	{ "oauth:read",           OWNER | ADMIN | AUDITOR },
	{ "oauth:write",          OWNER | ADMIN },
	{ "enrolment-keys:read",  OWNER | ADMIN | OPERATOR | AUDITOR },
	{ "enrolment-keys:write", OWNER | ADMIN | OPERATOR },
	{ "networks:read",        OWNER | ADMIN | OPERATOR | AUDITOR | MEMBER },
	{ "networks:write",       OWNER | ADMIN | OPERATOR },
	{ "devices:read",         OWNER | ADMIN | OPERATOR | AUDITOR },
	{ "devices:write",        OWNER | ADMIN | OPERATOR },
	{ "members:read",         OWNER | ADMIN | OPERATOR | AUDITOR },
	{ "members:write",        OWNER | ADMIN | OPERATOR },
	{ "profiles:read",        OWNER | ADMIN | OPERATOR | AUDITOR },
	{ "profiles:write",       OWNER | ADMIN | OPERATOR },
	{ "sessions:read",        OWNER | ADMIN | OPERATOR | AUDITOR },
	{ "sessions:write",       OWNER | ADMIN | OPERATOR },
	{ "names:read",           OWNER | ADMIN | OPERATOR | AUDITOR | MEMBER },
	{ "registrations:read",   OWNER | ADMIN | OPERATOR | AUDITOR },
	{ "registrations:write",  OWNER | ADMIN | OPERATOR },
	{ "registrations:own",    DEVICE },
	{ "audit:read",           OWNER | ADMIN | AUDITOR },
	{ "pairs:read",           OWNER | ADMIN | OPERATOR | AUDITOR },
	{ "pairs:write",          OWNER | ADMIN | OPERATOR },
	{ "pairs:claim",          OWNER | ADMIN | OPERATOR | MEMBER | DEVICE },
	{ "vpn:read",             OWNER | ADMIN | OPERATOR | AUDITOR },
	{ "vpn:write",            OWNER | ADMIN | OPERATOR },
	{ "vpn:serve",            DEVICE },
	{ "vpn-users:write",      OWNER | ADMIN }, /* the admin API of VPN apps */
	{ "network:attach",       DEVICE },
	{ "certificates:own",     DEVICE },
	{ "packages:own",         DEVICE },
	{ "config",               OWNER | ADMIN | OPERATOR | AUDITOR | MEMBER }, /* VPN apps */
	{ "keys:write",           OWNER | ADMIN }, /* of the fleet tenant only: the gateway sees to it */
};
/* clang-format on */

static unsigned role_bit(const char *role)
{
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		if (strcmp(roles[i].name, role) == 0)
			return roles[i].bit;
	return 0;
}

/* The roles that have the scope; 0 if there is no such scope. */
static unsigned scope_roles(const char *scope)
{
	for (size_t i = 0; i < ARRAY_LEN(grants); i++)
		if (strcmp(grants[i].name, scope) == 0)
			return grants[i].roles;
	return 0;
}

bool access_role_known(const char *role)
{
	return role_bit(role) != 0;
}

bool access_scope_known(const char *scope)
{
	return scope_roles(scope) != 0;
}

bool access_allows(
	const char *role, const char *const scopes[], size_t n_scopes, const char *wanted)
{
	if ((scope_roles(wanted) & role_bit(role)) == 0)
		return false;
	for (size_t i = 0; i < n_scopes; i++)
		if (strcmp(scopes[i], wanted) == 0)
			return true;
	return n_scopes == 0;
}

bool access_covers(const char *role, const char *const scopes[], size_t n_scopes, const char *other)
{
	unsigned bit = role_bit(other);

	for (size_t i = 0; i < ARRAY_LEN(grants); i++)
		if ((grants[i].roles & bit) != 0 &&
			!access_allows(role, scopes, n_scopes, grants[i].name))
			return false;
	return bit != 0;
}
