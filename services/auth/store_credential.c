/*
 * store_credential: the SQL that finds whose credential it is, in any tenant; see store.h. Runs in
 * the thread of the call.
 */
#include "services/auth/store.h"

#include "lib/mem.h"

err_t store_enrolment_key_digest(
	struct call *call, const char *tenant, const char *id, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT encode(digest, 'hex') AS digest FROM auth.enrolment_key"
		" WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, rows, tenant, id);
}

err_t store_enrolment_key_use(
	struct call *call, const char *tenant, const char *id, const char *n, Auth__Grant *reply)
{
	static const struct db_statement statement = {
		"UPDATE auth.enrolment_key k SET uses = uses + $3::integer FROM auth.tenant t"
		" WHERE k.tenant_id = $1 AND k.id = $2 AND k.state = 'active'"
		" AND (max_uses = 0 OR uses < max_uses)"
		" AND (expires_at IS NULL OR expires_at > now())"
		" AND t.id = k.tenant_id AND t.state = 'active'"
		" RETURNING tenant_id AS tenant, k.id AS enrolment_key, network, tags, approve"
	};
	const char *params[] = { tenant, id, n };

	return db_one(call, &statement, &reply->base, "enrolment key", ARRAY_LEN(params), params);
}

err_t store_credential_api_key(
	struct call *call, const char *tenant, const char *id, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT tenant_id AS tenant, 'api_key:' || k.id AS subject, role, scopes,"
		" t.state = 'active' AND (expires_at IS NULL OR expires_at > now()) AS usable,"
		" encode(digest, 'hex') AS digest"
		" FROM auth.api_key k JOIN auth.tenant t ON t.id = tenant_id"
		" WHERE tenant_id = $1 AND k.id = $2"
	};

	return DB_QUERY(call, &statement, rows, tenant, id);
}

err_t store_credential_device(struct call *call, const char *device, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT tenant_id AS tenant, 'device:' || device AS subject, 'device' AS role,"
		" state = 'active' AS usable, encode(digest, 'hex') AS digest"
		" FROM auth.device_secret JOIN auth.tenant ON tenant.id = tenant_id"
		" WHERE device = $1"
	};

	return DB_QUERY(call, &statement, rows, device);
}

err_t store_credential_user(
	struct call *call, const char *tenant_name, const char *user, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT t.id AS tenant, u.id, 'user:' || u.id AS subject, role, password,"
		" auth.sign_in_needs(t.id, u.id) AS needs,"
		" coalesce(t.state = 'active' AND u.state = 'active', false) AS usable"
		" FROM auth.tenant t"
		" LEFT JOIN auth.\"user\" u ON u.tenant_id = t.id AND u.name = $2"
		" WHERE t.name = $1"
	};

	return DB_QUERY(call, &statement, rows, tenant_name, user);
}

err_t store_api_key_used(struct call *call, const char *tenant, const char *id)
{
	static const struct db_statement statement = {
		"UPDATE auth.api_key SET last_used_at = now() WHERE tenant_id = $1 AND id = $2"
		" AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')"
	};

	return DB_QUERY(call, &statement, NULL, tenant, id);
}
