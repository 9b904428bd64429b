/* store_certificate: the SQL of certificates; see store_pki.h. Runs in the thread of the call. */
#include "services/provision/store_pki.h"

#include <inttypes.h>

#define STATE                                                                                      \
	"CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN not_after <= now() THEN 'expired'"   \
	" ELSE 'valid' END AS state"
#define COLUMNS                                                                                    \
	"id, serial, kind, subject, label, " STATE ", authority_id AS authority, certificate,"     \
	" fabric.rfc3339(not_before) AS not_before, fabric.rfc3339(not_after) AS not_after,"       \
	" fabric.rfc3339(revoked_at) AS revoked_at, reason,"                                       \
	" fabric.rfc3339(created_at) AS created_at, version"

err_t store_certificate_add(struct call *call, const struct store_certificate *certificate,
	Provision__Certificate *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO provision.certificate (tenant_id, serial, authority_id, kind, subject,"
		" label, certificate, not_before, not_after) VALUES ($1, $2, $3, $4, $5, $6, $7,"
		" to_timestamp($8::bigint), to_timestamp($9::bigint)) RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, certificate->certificate->serial,
		certificate->authority, certificate->kind, certificate->subject, certificate->label,
		certificate->certificate->pem,
		arena_printf(call->arena, "%" PRId64, certificate->not_before_s),
		arena_printf(call->arena, "%" PRId64, certificate->not_after_s) };

	return db_one(call, &statement, &reply->base, "certificate", ARRAY_LEN(params), params);
}

err_t store_certificate_get(struct call *call, const char *id, Provision__Certificate *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM provision.certificate WHERE tenant_id = $1 AND id = $2"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "certificate", ARRAY_LEN(params), params);
}

#define PAGE(filter)                                                                               \
	"SELECT " COLUMNS " FROM provision.certificate"                                            \
	" WHERE tenant_id = $1 AND id > $2" filter " ORDER BY id LIMIT $3"

static const struct db_statement pages[] = { { PAGE("") }, { PAGE(" AND subject = $4") } };

err_t store_certificate_list(struct call *call, const Provision__ListCertificatesRequest *request,
	Provision__CertificateList *reply)
{
	const char *params[] = { call->tenant, store_cursor(request->cursor),
		store_limit(call, request->limit), store_filter(request->subject) };

	return store_page(call, pages, &reply->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_certificate_find(struct call *call, const char *serial, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT tenant_id AS tenant, subject AS device, certificate"
		" FROM provision.certificate WHERE serial = $1 AND kind = 'device'"
		" AND revoked_at IS NULL AND not_after > now()"
	};

	return DB_QUERY(call, &statement, rows, serial);
}

err_t store_certificate_good(struct call *call, const char *subject, bool *good)
{
	static const struct db_statement statement = {
		"SELECT 1 FROM provision.certificate WHERE tenant_id = $1 AND subject = $2"
		" AND revoked_at IS NULL AND not_after > now() LIMIT 1"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, subject);

	if (err == OK)
		*good = db_count(rows) > 0;
	return err;
}

#define REVOKE(filter)                                                                             \
	"UPDATE provision.certificate SET revoked_at = now(), reason = $3, version = version + 1"  \
	" WHERE tenant_id = $1 AND " filter " AND revoked_at IS NULL AND not_after > now()"        \
	" RETURNING id, serial, authority_id AS authority"

err_t store_certificate_revoke(struct call *call, const char *serial, const char *subject,
	const char *reason, struct db_rows **rows)
{
	static const struct db_statement one = { REVOKE("serial = $2") };
	static const struct db_statement all = { REVOKE("subject = $2") };

	return *serial != '\0' ? DB_QUERY(call, &one, rows, call->tenant, serial, reason)
			       : DB_QUERY(call, &all, rows, call->tenant, subject, reason);
}

/* A certificate whose device is blocked or retired is as good as revoked. */
err_t store_certificate_status(struct call *call, const char *serial, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT CASE WHEN revoked_at IS NOT NULL THEN 'revoked'"
		" WHEN not_after <= now() THEN 'expired'"
		" WHEN d.state <> 'approved' THEN 'suspended' ELSE 'valid' END AS state,"
		" c.tenant_id AS tenant, kind, subject, label,"
		" fabric.rfc3339(not_after) AS not_after,"
		" fabric.rfc3339(revoked_at) AS revoked_at"
		" FROM provision.certificate c LEFT JOIN provision.device d ON c.kind = 'device'"
		" AND d.tenant_id = c.tenant_id AND d.id::text = c.subject WHERE serial = $1"
	};

	return DB_QUERY(call, &statement, rows, serial);
}
