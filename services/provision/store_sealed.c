/* store_sealed: the SQL of what is sealed under which key; see store_sealed.h. Runs in the thread
 * of the task. */
#include "services/provision/store_sealed.h"

#define OTHERWISE(table, column)                                                                   \
	" FROM provision." table " WHERE split_part(" column ", ':', 1) NOT IN ($1, '')"           \
	" LIMIT 100 FOR UPDATE SKIP LOCKED"

static const struct db_statement finds[STORE_SEALED_KINDS] = {
	{ "SELECT tenant_id AS tenant, id, '0' AS number, 'authority/' || id AS use,"
	  " sealed_key AS sealed" OTHERWISE("authority", "sealed_key") },
	{ "SELECT tenant_id AS tenant, device_id AS id, number, 'package/' || device_id AS use,"
	  " files AS sealed" OTHERWISE("package", "files") },
	{ "SELECT tenant_id AS tenant, tenant_id AS id, '0' AS number,"
	  " 'ta_key/' || tenant_id AS use, ta_key AS sealed" OTHERWISE("portal", "ta_key") },
	{ "SELECT tenant_id AS tenant, tenant_id AS id, '0' AS number,"
	  " 'signer/' || tenant_id AS use, sealed_key AS sealed" OTHERWISE(
		  "signer", "sealed_key") },
	{ "SELECT tenant_id AS tenant, id, '0' AS number,"
	  " 'tls_crypt/' || tenant_id || '/' || profile_id AS use,"
	  " tls_crypt AS sealed" OTHERWISE("profile", "tls_crypt") },
};

static const struct db_statement sets[STORE_SEALED_KINDS] = {
	{ "UPDATE provision.authority SET sealed_key = $4"
	  " WHERE tenant_id = $1 AND id = $2 AND $3::integer = 0" },
	{ "UPDATE provision.package SET files = $4"
	  " WHERE tenant_id = $1 AND device_id = $2 AND number = $3" },
	{ "UPDATE provision.portal SET ta_key = $4"
	  " WHERE tenant_id = $1 AND tenant_id = $2 AND $3::integer = 0" },
	{ "UPDATE provision.signer SET sealed_key = $4"
	  " WHERE tenant_id = $1 AND tenant_id = $2 AND $3::integer = 0" },
	{ "UPDATE provision.profile SET tls_crypt = $4"
	  " WHERE tenant_id = $1 AND id = $2 AND $3::integer = 0" },
};

err_t store_sealed_otherwise(
	struct call *call, size_t kind, const char *key_id, struct db_rows **rows)
{
	return DB_QUERY(call, &finds[kind], rows, key_id);
}

err_t store_sealed_set(
	struct call *call, size_t kind, const struct db_rows *rows, size_t row, const char *sealed)
{
	return DB_QUERY(call, &sets[kind], NULL, db_text(rows, row, "tenant"),
		db_text(rows, row, "id"), db_text(rows, row, "number"), sealed);
}
