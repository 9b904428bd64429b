/* store_manifest: see store_manifest.h. Runs in the thread of the call. */
#include "services/provision/manifest/store_manifest.h"

#include <inttypes.h>

err_t store_manifest_find(struct call *call, const char *device, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT serial, d.state, quarantined_at IS NOT NULL AS quarantined, current,"
		" delivered, acknowledged, unanswered, bad, manifest, interval_s, "
		"update_interval_s,"
		" disabled_interval_s, disable_code"
		" FROM provision.portal_device s JOIN provision.portal p USING (tenant_id)"
		" JOIN provision.device d ON d.tenant_id = s.tenant_id AND d.id = s.device_id"
		" WHERE s.tenant_id = $1 AND s.device_id = $2 FOR UPDATE OF s FOR SHARE OF d"
	};
	err_t err = DB_QUERY(call, &statement, rows, call->tenant, device);

	if (err == OK && db_count(*rows) == 0)
		return call_refuse(
			call, ERR_NOT_FOUND, "", "there are no packages for this device");
	return err;
}

err_t store_manifest_failed(struct call *call, const char *device, const char *reason)
{
	static const struct db_statement statement = {
		"UPDATE provision.portal_device SET bad = current, failed_at = now(), failure = $3,"
		" current = CASE WHEN acknowledged = 0 THEN current ELSE acknowledged END,"
		" version = version + 1 WHERE tenant_id = $1 AND device_id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, device, reason);
}

err_t store_signer_get(struct call *call, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT authority_id AS authority, certificate, sealed_key,"
		" extract(epoch FROM not_after)::bigint AS not_after_s"
		" FROM provision.signer WHERE tenant_id = $1"
	};

	return DB_QUERY(call, &statement, rows, call->tenant);
}

err_t store_signer_set(struct call *call, const char *authority, const char *certificate,
	const char *sealed_key, int64_t not_after_s)
{
	static const struct db_statement statement = {
		"INSERT INTO provision.signer (tenant_id, authority_id, certificate, sealed_key,"
		" not_after) VALUES ($1, $2, $3, $4, to_timestamp($5))"
		" ON CONFLICT (tenant_id) DO UPDATE SET authority_id = $2, certificate = $3,"
		" sealed_key = $4, not_after = to_timestamp($5)"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, authority, certificate, sealed_key,
		arena_printf(call->arena, "%" PRId64, not_after_s));
}
