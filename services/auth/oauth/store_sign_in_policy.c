/* store_sign_in_policy: the SQL of what a tenant wants of sign-ins; see oauth_store.h. Runs in the
 * thread of the call. */
#include "services/auth/oauth/oauth_store.h"

#include "lib/mem.h"

static err_t one(struct call *call, const struct db_statement *statement, const char *second_factor,
	Auth__SignInPolicy *reply)
{
	const char *params[] = { call->tenant, second_factor };

	return db_one(call, statement, &reply->base, "sign-in policy", ARRAY_LEN(params), params);
}

err_t store_sign_in_policy_get(struct call *call, Auth__SignInPolicy *reply)
{
	static const struct db_statement statement = {
		"SELECT coalesce(p.second_factor, 'optional') AS second_factor,"
		" coalesce(p.version, 1) AS version FROM (VALUES ($1::uuid, $2::text)) AS v "
		"(tenant_id, none)"
		" LEFT JOIN auth.sign_in_policy p USING (tenant_id)"
	};

	return one(call, &statement, NULL, reply);
}

err_t store_sign_in_policy_set(
	struct call *call, const char *second_factor, Auth__SignInPolicy *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.sign_in_policy AS p (tenant_id, second_factor)"
		" VALUES ($1, coalesce($2, 'optional')) ON CONFLICT (tenant_id) DO UPDATE"
		" SET second_factor = coalesce($2, p.second_factor), version = p.version + 1"
		" RETURNING second_factor, version"
	};

	return one(call, &statement, second_factor, reply);
}
