/* store_sign_in_policy: the SQL of what a tenant wants of sign-ins; see oauth_store.h. Runs in the
 * thread of the call. */
#include "services/auth/oauth/oauth_store.h"

#include "lib/mem.h"

err_t store_sign_in_policy_get(struct call *call, Auth__SignInPolicy *reply)
{
	static const struct db_statement statement = {
		"SELECT coalesce(p.second_factor, 'optional') AS second_factor,"
		" coalesce(p.blocked_users, 'open') AS blocked_users,"
		" coalesce(p.version, 1) AS version FROM (VALUES ($1::uuid)) AS v (tenant_id)"
		" LEFT JOIN auth.sign_in_policy p USING (tenant_id)"
	};
	const char *params[] = { call->tenant };

	return db_one(call, &statement, &reply->base, "tenant", ARRAY_LEN(params), params);
}

err_t store_sign_in_policy_set(struct call *call, const char *second_factor,
	const char *blocked_users, Auth__SignInPolicy *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.sign_in_policy AS p (tenant_id, second_factor, blocked_users)"
		" VALUES ($1, coalesce($2, 'optional'), coalesce($3, 'open'))"
		" ON CONFLICT (tenant_id) DO UPDATE SET version = p.version + 1,"
		" second_factor = coalesce($2, p.second_factor),"
		" blocked_users = coalesce($3, p.blocked_users)"
		" RETURNING second_factor, blocked_users, version"
	};
	const char *params[] = { call->tenant, second_factor, blocked_users };

	return db_one(call, &statement, &reply->base, "tenant", ARRAY_LEN(params), params);
}
