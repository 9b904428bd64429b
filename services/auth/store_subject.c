/*
 * store_subject: the SQL of those who hold tokens: device secrets, who is active, and what who acts
 * may do; see store.h. Runs in the thread of the call.
 */
#include "services/auth/store.h"

#include "lib/mem.h"

err_t store_device_secret_set(struct call *call, const char *device, const char *digest)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.device_secret (tenant_id, device, digest)"
		" VALUES ($1, $2, decode($3, 'hex'))"
		" ON CONFLICT (tenant_id, device)"
		" DO UPDATE SET digest = excluded.digest, created_at = now()"
	};
	err_t err = DB_QUERY(call, &statement, NULL, call->tenant, device, digest);

	if (err == ERR_ALREADY_EXISTS)
		return call_refuse(call, err, "device", "this is a device of another tenant");
	return err;
}

err_t store_device_secret_delete(struct call *call, const char *device)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.device_secret WHERE tenant_id = $1 AND device = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, device);
}

err_t store_device_suspend(struct call *call, const char *device)
{
	static const struct db_statement statement = {
		"UPDATE auth.device_secret SET tokens_from = " STORE_NEXT_SECOND
		" WHERE tenant_id = $1 AND device = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, device);
}

static err_t is_there(struct call *call, const struct db_statement *statement, const char *id,
	bool *active, long long *from)
{
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, statement, &rows, call->tenant, id);

	if (err != OK || !(*active = db_count(rows) > 0))
		return err;
	*from = db_int(rows, 0, "tokens_from");
	return OK;
}

/*
 * The locks make a revocation wait, so that it comes after the token that is being signed. The
 * tenant's first, as whoever changes a user does.
 */
#define FROM_TENANT_AND(from, subject)                                                             \
	"SELECT " from " AS tokens_from FROM auth.tenant t JOIN " subject                          \
	" s ON tenant_id = t.id AND t.state = 'active' WHERE tenant_id = $1 "
#define LATEST "greatest(t.tokens_from, s.tokens_from)"
#define LOCK   " FOR SHARE"

err_t store_user_active(struct call *call, const char *id, bool *active, long long *from)
{
	static const struct db_statement statement = { FROM_TENANT_AND(
		LATEST, "auth.\"user\"") "AND s.id = $2 AND s.state = 'active'" LOCK };

	return is_there(call, &statement, id, active, from);
}

err_t store_api_key_active(struct call *call, const char *id, bool *active, long long *from)
{
	static const struct db_statement statement = { FROM_TENANT_AND("t.tokens_from",
		"auth.api_key") "AND s.id = $2 AND (expires_at IS NULL OR expires_at > "
				"now())" LOCK };

	return is_there(call, &statement, id, active, from);
}

err_t store_device_active(struct call *call, const char *id, bool *active, long long *from)
{
	static const struct db_statement statement = { FROM_TENANT_AND(
		LATEST, "auth.device_secret") "AND device = $2" LOCK };

	return is_there(call, &statement, id, active, from);
}

err_t store_next_second(struct call *call, long long *second)
{
	static const struct db_statement statement = { "SELECT " STORE_NEXT_SECOND " AS second" };
	AUTO_ROWS rows = NULL;
	err_t err = db_query(call, &statement, &rows, 0, NULL);

	if (err == OK)
		*second = db_int(rows, 0, "second");
	return err;
}

err_t store_authority(
	struct call *call, const char *actor, const char *tenant, Auth__Principal *reply)
{
	static const struct db_statement statement = {
		"SELECT role, scopes FROM auth.authority($1, $2)"
	};
	const char *params[] = { actor, tenant };

	return db_one(call, &statement, &reply->base, "actor", ARRAY_LEN(params), params);
}
