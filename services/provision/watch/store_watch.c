/* store_watch: see store_watch.h. Runs in the thread of the task. */
#include "services/provision/watch/store_watch.h"

err_t store_watch_near(struct call *call, const char *serial, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT DISTINCT tenant_id AS tenant FROM ((SELECT tenant_id, serial"
		" FROM provision.portal_device WHERE serial <= $1 ORDER BY serial DESC LIMIT 1)"
		" UNION ALL (SELECT tenant_id, serial FROM provision.portal_device"
		" WHERE serial > $1 ORDER BY serial LIMIT 1)) AS near"
		" WHERE left(serial, 3) = left($1, 3)"
	};

	return DB_QUERY(call, &statement, rows, serial);
}

#define LEGACY_DEVICES                                                                             \
	"(SELECT count(*) FROM provision.portal_device s JOIN provision.device d"                  \
	" ON d.tenant_id = s.tenant_id AND d.id = s.device_id"                                     \
	" WHERE s.tenant_id = p.tenant_id AND legacy AND d.state = 'approved')"

err_t store_watch_legacy(struct call *call, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"UPDATE provision.portal p SET legacy_warned = legacy_until"
		" WHERE legacy_until BETWEEN now() AND now() + interval '14 days'"
		" AND legacy_warned IS DISTINCT FROM legacy_until AND " LEGACY_DEVICES " > 0"
		" RETURNING tenant_id AS tenant, " LEGACY_DEVICES " AS devices,"
		" fabric.rfc3339(legacy_until) AS until"
	};

	return db_query(call, &statement, rows, 0, NULL);
}

err_t store_watch_legacy_days(struct call *call, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT coalesce(min(extract(epoch FROM legacy_until - now()))::bigint / 86400,"
		" 366) AS days FROM provision.portal p WHERE legacy_until > now()"
		" AND " LEGACY_DEVICES " > 0"
	};

	return db_query(call, &statement, rows, 0, NULL);
}
