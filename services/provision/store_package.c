/* store_package: the SQL of packages and of their use in the VPN; see store_portal.h. Runs in the
 * thread of the call. */
#include "services/provision/store_portal.h"

static const char *number(struct call *call, int n)
{
	return arena_printf(call->arena, "%d", n);
}

err_t store_package_add(struct call *call, const char *device, const struct package *package,
	const char *sealed, const char *password, const char *certificate, int *n)
{
	static const struct db_statement statement = {
		"WITH next AS (UPDATE provision.portal_device SET unanswered = 0,"
		" version = version + 1, current = 1 + coalesce((SELECT max(number)"
		" FROM provision.package WHERE tenant_id = $1 AND device_id = $2), 0)"
		" WHERE tenant_id = $1 AND device_id = $2 RETURNING current)"
		" INSERT INTO provision.package (tenant_id, device_id, number, files, md5_ca_cert,"
		" md5_client_conf, md5_ta_key, md5_credentials, sha256, password,"
		" certificate_serial, file_names, vpn_copies)"
		" SELECT $1, $2, current, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12"
		" FROM next RETURNING number"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, device, sealed,
		package->md5[PACKAGE_CA], package->md5[PACKAGE_CONF], package->md5[PACKAGE_TA],
		package->md5[PACKAGE_CREDENTIALS], package->sha256, password, certificate,
		package->file_names, package->vpn_copies ? "true" : "false");

	if (err == OK)
		*n = (int)db_int(rows, 0, "number");
	return err;
}

err_t store_package_get(struct call *call, const char *device, int n, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT files, md5_ca_cert, md5_client_conf, md5_ta_key, md5_credentials, sha256,"
		" file_names, vpn_copies FROM provision.package"
		" WHERE tenant_id = $1 AND device_id = $2 AND number = $3"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, device, number(call, n));
}

err_t store_package_trust(struct call *call, const char *md5, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT count(p.number) AS devices,"
		" count(*) FILTER (WHERE p.md5_ca_cert = $2) AS ready,"
		" coalesce((SELECT trust_percent FROM provision.portal WHERE tenant_id = $1), 0)"
		" AS trust_percent FROM provision.portal_device s JOIN provision.device d"
		" ON d.tenant_id = s.tenant_id AND d.id = s.device_id AND d.state = 'approved'"
		" JOIN provision.package p ON p.tenant_id = s.tenant_id"
		" AND p.device_id = s.device_id AND p.number = s.acknowledged"
		" WHERE s.tenant_id = $1"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, md5);
}

err_t store_vpn_find(struct call *call, const char *device, const char *password,
	const char *certificate, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT p.number, good FROM provision.portal_device s JOIN provision.package p"
		" ON p.tenant_id = s.tenant_id AND p.device_id = s.device_id"
		" JOIN provision.certificate c ON c.serial = p.certificate_serial"
		" JOIN provision.device d ON d.tenant_id = s.tenant_id AND d.id = s.device_id"
		" WHERE s.tenant_id = $1 AND s.device_id = $2 AND p.password = $3"
		" AND p.certificate_serial = $4 AND c.revoked_at IS NULL AND c.not_after > now()"
		" AND d.state = 'approved' AND s.quarantined_at IS NULL AND p.number >= good FOR "
		"UPDATE OF s"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, device, password, certificate);
}

err_t store_vpn_seen(struct call *call, const char *device, int n)
{
	static const struct db_statement statement = {
		"UPDATE provision.portal_device SET good = $3, seen_at = now(),"
		" version = version + 1 WHERE tenant_id = $1 AND device_id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, device, number(call, n));
}

err_t store_vpn_older(struct call *call, const char *device, int n, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT serial FROM provision.package p JOIN provision.certificate c"
		" ON c.serial = p.certificate_serial WHERE p.tenant_id = $1 AND device_id = $2"
		" AND number < $3 AND revoked_at IS NULL AND c.not_after > now()"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, device, number(call, n));
}

/* Once for each package: what is taken back is bad, and current is good again. */
err_t store_vpn_take_back(struct call *call, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"UPDATE provision.portal_device s SET bad = current, current = good,"
		" unanswered = 0, version = s.version + 1 FROM provision.portal p"
		" WHERE p.tenant_id = s.tenant_id AND acknowledged = current AND good > 0"
		" AND good < current AND polled_at > acknowledged_at"
		" AND acknowledged_at < now()"
		" - greatest(make_interval(secs => 3 * interval_s), interval '30 minutes')"
		" RETURNING s.tenant_id AS tenant, device_id AS device, serial, bad AS number,"
		" good"
	};

	return db_query(call, &statement, rows, 0, NULL);
}
