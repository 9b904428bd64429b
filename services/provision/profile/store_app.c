/* store_app: the SQL of apps' certificates; see store_profile.h. Runs in the thread of the call. */
#include "services/provision/profile/store_profile.h"

err_t store_app_lock(struct call *call, const char *user)
{
	static const struct db_statement statement = {
		"SELECT pg_advisory_xact_lock(hashtextextended('app/' || $1::text, 0))::text"
	};

	return DB_QUERY(call, &statement, NULL, user);
}

err_t store_app_certificate_add(struct call *call, const struct store_app_certificate *certificate)
{
	static const struct db_statement statement = {
		"INSERT INTO provision.app_certificate"
		" (tenant_id, certificate_id, user_id, authorization_id, client_id, profile_id)"
		" VALUES ($1, $2, $3, $4, $5, $6)"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, certificate->certificate,
		certificate->user, certificate->authorization, certificate->client_id,
		certificate->profile_id);
}

/* What apps of `filter` have, looked up before the certificates: a plan that is made while the
 * tables are small would go through all certificates of the tenant. */
#define OF(filter)                                                                                 \
	"WITH a AS MATERIALIZED (SELECT tenant_id, certificate_id FROM provision.app_certificate"  \
	" WHERE tenant_id = $1 AND " filter ")"
/* And is good, with certificates c. */
#define GOOD                                                                                       \
	"c.tenant_id = a.tenant_id AND c.id = a.certificate_id"                                    \
	" AND c.revoked_at IS NULL AND c.not_after > now()"
#define END                                                                                        \
	" UPDATE provision.certificate c SET revoked_at = now(), listed = false, reason = $3,"     \
	" version = c.version + 1 FROM a WHERE " GOOD

err_t store_app_end_authorization(
	struct call *call, const char *authorization, bool connected_only, const char *reason)
{
	static const struct db_statement all = { OF("authorization_id = $2") END };
	static const struct db_statement connected = { OF(
		"authorization_id = $2 AND profile_id <> ''") END };

	return DB_QUERY(call, connected_only ? &connected : &all, NULL, call->tenant, authorization,
		reason);
}

err_t store_app_end_user(struct call *call, const char *user, const char *reason)
{
	static const struct db_statement statement = { OF("user_id = $2") END };

	return DB_QUERY(call, &statement, NULL, call->tenant, user, reason);
}

#define CONNECTED "user_id = $2 AND profile_id <> ''"

err_t store_app_last_to_end(struct call *call, const char *user, unsigned keep, const char **last)
{
	static const struct db_statement statement = { OF(
		CONNECTED) " SELECT id FROM (SELECT c.id FROM provision.certificate c, a"
			   " WHERE " GOOD " UNION ALL SELECT p.id FROM provision.wireguard_peer p"
			   " WHERE p.tenant_id = $1 AND p.user_id = $2 AND p.ended_at IS NULL)"
			   " AS t (id) ORDER BY id DESC OFFSET $3 LIMIT 1" };
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, user, store_number(call, keep));

	if (err == OK)
		*last = db_count(rows) > 0 ? arena_strdup(call->arena, db_text(rows, 0, "id")) : "";
	return err;
}

err_t store_app_end_oldest(
	struct call *call, const char *user, const char *last, const char *reason)
{
	static const struct db_statement statement = { OF(CONNECTED " AND certificate_id <= $4")
			END };

	return DB_QUERY(call, &statement, NULL, call->tenant, user, reason, last);
}

err_t store_app_end_keypairs(
	struct call *call, const char *authorization, unsigned keep, const char *reason)
{
	static const struct db_statement statement = { OF(
		"authorization_id = $2 AND profile_id = ''") END
		" AND c.id <= (SELECT c.id FROM provision.certificate c, a WHERE " GOOD
		" ORDER BY c.id DESC OFFSET $4 LIMIT 1)" };

	return DB_QUERY(call, &statement, NULL, call->tenant, authorization, reason,
		store_number(call, keep));
}

err_t store_app_end_profile(struct call *call, const char *profile_id, const char *reason)
{
	static const struct db_statement statement = { OF("profile_id = $2") END };

	return DB_QUERY(call, &statement, NULL, call->tenant, profile_id, reason);
}

#define FIND                                                                                       \
	"SELECT CASE WHEN revoked_at IS NOT NULL THEN 'revoked'"                                   \
	" WHEN not_before > now() THEN 'early' WHEN not_after <= now() THEN 'expired'"             \
	" ELSE 'valid' END AS state, subject AS user, a.client_id, a.profile_id"                   \
	" FROM provision.certificate c LEFT JOIN provision.app_certificate a"                      \
	" ON a.tenant_id = c.tenant_id AND a.certificate_id = c.id"                                \
	" WHERE c.tenant_id = $1 AND serial = $2 AND kind = 'user'"

err_t store_app_certificate_find(
	struct call *call, const char *serial, const char *user, struct db_rows **rows)
{
	static const struct db_statement of_anybody = { FIND };
	static const struct db_statement of_user = { FIND " AND subject = $3" };

	return user == NULL ? DB_QUERY(call, &of_anybody, rows, call->tenant, serial)
			    : DB_QUERY(call, &of_user, rows, call->tenant, serial, user);
}

err_t store_app_forget(struct call *call)
{
	static const struct db_statement statement = {
		"DELETE FROM provision.certificate c USING provision.app_certificate a"
		" WHERE a.tenant_id = c.tenant_id AND a.certificate_id = c.id"
		" AND not_after < now() - interval '32 days'"
	};

	return db_query(call, &statement, NULL, 0, NULL);
}
