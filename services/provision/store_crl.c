/* store_crl: the SQL of revocation lists; see store_pki.h. Runs in the thread of the call. */
#include "services/provision/store_pki.h"

#include <inttypes.h>

err_t store_crl_lock(struct call *call, const char *authority, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT certificate, sealed_key, crl_number + 1 AS number FROM provision.authority"
		" WHERE tenant_id = $1 AND id = $2 AND state <> 'retired' FOR UPDATE"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, authority);
}

/* A blocked device's certificates are on hold: they are good again when it is approved again. */
#define ON_HOLD                                                                                    \
	"c.kind = 'device' AND EXISTS (SELECT FROM provision.device d"                             \
	" WHERE d.tenant_id = c.tenant_id AND d.id::text = c.subject AND d.state = 'blocked')"

err_t store_crl_entries(struct call *call, const char *authority, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT serial, revoked_at IS NULL AS on_hold,"
		" floor(extract(epoch FROM coalesce(revoked_at, now())))::bigint AS at_s"
		" FROM provision.certificate c WHERE tenant_id = $1 AND authority_id = $2"
		" AND not_after > now() AND listed AND (revoked_at IS NOT NULL OR " ON_HOLD ")"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, authority);
}

err_t store_crl_set(
	struct call *call, const char *authority, const char *crl, int64_t this_s, int64_t next_s)
{
	static const struct db_statement statement = {
		"UPDATE provision.authority SET crl = $3, crl_number = crl_number + 1,"
		" crl_this_update = to_timestamp($4::bigint),"
		" crl_next_update = to_timestamp($5::bigint)"
		" WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, authority, crl,
		arena_printf(call->arena, "%" PRId64, this_s),
		arena_printf(call->arena, "%" PRId64, next_s));
}

err_t store_crl_due(struct call *call, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT tenant_id AS tenant, id FROM provision.authority"
		" WHERE kind = 'issuing' AND state <> 'retired'"
		" AND now() > crl_this_update + (crl_next_update - crl_this_update) * 0.4"
		" ORDER BY crl_next_update LIMIT 100"
	};

	return db_query(call, &statement, rows, 0, NULL);
}

err_t store_crl_of_subject(struct call *call, const char *subject, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT DISTINCT authority_id AS id FROM provision.certificate"
		" WHERE tenant_id = $1 AND subject = $2 AND not_after > now() ORDER BY authority_id"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, subject);
}
