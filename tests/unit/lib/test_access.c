/*
 * The table of roles and scopes: who may what, row by row, and that scopes only ever narrow.
 */
#include "lib/access.h"
#include "lib/mem.h"

#include <criterion/criterion.h>

#include <string.h>

static const char *const roles[] = { "owner", "admin", "operator", "auditor", "member", "device" };

/* One letter a role, in the order above; '-' where it may not. */
static const struct {
	const char *scope;
	const char *allowed;
} rows[] = {
	{ "tenants:read", "oa-u--" },
	{ "tenants:write", "oa----" },
	{ "tenants:delete", "o-----" },
	{ "tenants:export", "oa----" },
	{ "users:read", "oa-u--" },
	{ "users:write", "oa----" },
	{ "api-keys:read", "oa-u--" },
	{ "api-keys:write", "oa----" },
	{ "enrolment-keys:read", "oapu--" },
	{ "enrolment-keys:write", "oap---" },
	{ "oauth:read", "oa-u--" },
	{ "oauth:write", "oa----" },
	{ "config", "oapum-" },
	{ "networks:read", "oapum-" },
	{ "networks:write", "oap---" },
	{ "devices:read", "oapu--" },
	{ "devices:write", "oap---" },
	{ "profiles:read", "oapu--" },
	{ "profiles:write", "oap---" },
	{ "members:read", "oapu--" },
	{ "members:write", "oap---" },
	{ "sessions:read", "oapu--" },
	{ "sessions:write", "oap---" },
	{ "names:read", "oapum-" },
	{ "audit:read", "oa-u--" },
	{ "pairs:read", "oapu--" },
	{ "pairs:write", "oap---" },
	{ "pairs:claim", "oap-md" },
	{ "vpn:read", "oapu--" },
	{ "vpn:write", "oap---" },
	{ "vpn:serve", "-----d" },
	{ "network:attach", "-----d" },
	{ "certificates:own", "-----d" },
	{ "keys:write", "oa----" },
};

Test(access, each_role_has_exactly_its_scopes)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert(access_scope_known(rows[i].scope), "%s", rows[i].scope);
		for (size_t r = 0; r < ARRAY_LEN(roles); r++)
			cr_expect(access_allows(roles[r], NULL, 0, rows[i].scope) ==
					  (rows[i].allowed[r] != '-'),
				"%s %s", roles[r], rows[i].scope);
	}
}

Test(access, an_auditor_only_reads)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (access_allows("auditor", NULL, 0, rows[i].scope) &&
			strcmp(rows[i].scope, "config") != 0) /* its own VPN, as any person's */
			cr_expect(strstr(rows[i].scope, ":read"), "%s", rows[i].scope);
}

Test(access, scopes_narrow_a_role)
{
	const char *const scopes[] = { "users:read", "networks:write" };

	cr_expect(access_allows("admin", scopes, 2, "users:read"));
	cr_expect(access_allows("admin", scopes, 2, "networks:write"));
	cr_expect_not(access_allows("admin", scopes, 2, "users:write"));
	cr_expect_not(access_allows("admin", scopes, 1, "networks:write"));
}

Test(access, scopes_never_widen_a_role)
{
	const char *const scopes[] = { "users:write" };

	cr_expect_not(access_allows("member", scopes, 1, "users:write"));
}

Test(access, the_unknown_may_nothing)
{
	static const char *const unknown[] = { "", "Owner", "root", "owner " };
	const char *const everything[] = { "*", "users:*", "users:read" };

	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		cr_expect_not(access_role_known(unknown[i]));
		cr_expect_not(access_allows(unknown[i], NULL, 0, "users:read"));
		cr_expect_not(access_allows(unknown[i], everything, 3, "users:read"));
	}
	cr_expect_not(access_scope_known("*"));
	cr_expect_not(access_scope_known(""));
	cr_expect_not(access_allows("owner", everything, 1, "users:read"));
	cr_expect_not(access_allows("owner", NULL, 0, "users"));
}

Test(access, a_caller_covers_the_roles_that_have_nothing_which_it_lacks)
{
	const char *const scopes[] = { "users:write", "networks:read", "names:read", "pairs:claim",
		"config" };

	cr_expect(access_covers("owner", NULL, 0, "owner"));
	cr_expect(access_covers("admin", NULL, 0, "admin"));
	cr_expect(access_covers("admin", NULL, 0, "auditor"));
	cr_expect_not(access_covers("admin", NULL, 0, "owner"));
	cr_expect_not(access_covers("operator", NULL, 0, "auditor"));
	cr_expect(access_covers("admin", scopes, 5, "member"));
	cr_expect_not(access_covers("admin", scopes, 4, "member"));
	cr_expect_not(access_covers("admin", scopes, 5, "operator"));
	cr_expect_not(access_covers("owner", NULL, 0, "nobody"));
}

Test(access, all_roles_are_known)
{
	for (size_t r = 0; r < ARRAY_LEN(roles); r++)
		cr_expect(access_role_known(roles[r]), "%s", roles[r]);
}
