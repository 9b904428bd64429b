/* store_time: see store_time.h. In the threads of tasks and events. */
#include "services/dns/store_time.h"

#include "lib/event.h"
#include "proto/event.pb-c.h"
#include "services/dns/store_zone.h"

#include <stdio.h>

static const char *number_text(struct call *call, long long number)
{
	return arena_printf(call->arena, "%lld", number);
}

err_t store_name_publish(struct call *call, const char *id, const char *name, const char *reason)
{
	Event__Name event = EVENT__NAME__INIT;

	event.registration = (char *)(uintptr_t)id;
	event.name = (char *)(uintptr_t)name;
	event.reason = (char *)(uintptr_t)reason;
	return event_publish(call, "name", &event.base);
}

static err_t publish_all(struct call *call, const struct db_rows *rows, const char *reason)
{
	err_t err = OK;

	for (size_t i = 0; err == OK && i < db_count(rows); i++) {
		err = store_name_publish(
			call, db_text(rows, i, "id"), db_text(rows, i, "name"), reason);
		if (err == OK)
			err = store_zone_changed(call, (int)db_int(rows, i, "zone"));
	}
	return err;
}

#define RETURNING_NAME                                                                             \
	" RETURNING r.id, r.zone, r.label || '.' ||"                                               \
	" (SELECT name FROM dns.zone_name WHERE number = r.zone) AS name"

/* What their holder has told is not answered to anybody from now on. */
#define SILENCE " live = false, local_ips = '{}', public_ip = NULL, changed = pg_current_xact_id()"

err_t store_expire(struct call *call, long after_s)
{
	static const struct db_statement expire = {
		"UPDATE dns.registration AS r SET" SILENCE " WHERE (tenant_id, id) IN ("
		"SELECT tenant_id, id FROM dns.registration WHERE live"
		" AND seen_at < now() - make_interval(secs => $1::int)"
		" ORDER BY seen_at LIMIT 500 FOR NO KEY UPDATE SKIP LOCKED)" RETURNING_NAME
	};
	AUTO_ROWS rows = NULL;
	err_t err;

	if (after_s == 0)
		return OK;
	if ((err = DB_QUERY(call, &expire, &rows, number_text(call, after_s))) != OK)
		return err;
	return publish_all(call, rows, "it was not heard from");
}

err_t store_suspend(struct call *call, const char *device)
{
	static const struct db_statement clear = {
		"DELETE FROM dns.challenge AS c USING dns.registration AS r"
		" WHERE c.tenant_id = $1 AND r.tenant_id = $1 AND r.id = c.registration"
		" AND ($2 = '' OR r.device = nullif($2, '')::uuid)"
	};
	static const struct db_statement suspend = {
		"UPDATE dns.registration AS r SET blocked = blocked OR $2 <> '',"
		" tenant_suspended = tenant_suspended OR $2 = ''," SILENCE
		" WHERE tenant_id = $1 AND ($2 = '' OR device = nullif($2, "
		"'')::uuid)" RETURNING_NAME
	};
	AUTO_ROWS rows = NULL;
	err_t err;

	if ((err = DB_QUERY(call, &clear, NULL, call->tenant, device)) != OK ||
		(err = DB_QUERY(call, &suspend, &rows, call->tenant, device)) != OK)
		return err;
	return publish_all(call, rows, "its device or tenant was suspended");
}

err_t store_resume(struct call *call, const char *device)
{
	static const struct db_statement resume = {
		"UPDATE dns.registration SET blocked = blocked AND $2 = '',"
		" tenant_suspended = tenant_suspended AND $2 <> ''"
		" WHERE tenant_id = $1 AND suspended"
		" AND ($2 = '' OR device = nullif($2, '')::uuid)"
	};

	return DB_QUERY(call, &resume, NULL, call->tenant, device);
}

err_t store_free(struct call *call, const char *device)
{
	static const struct db_statement free_all = {
		"DELETE FROM dns.registration AS r WHERE tenant_id = $1 AND device = "
		"$2::uuid" RETURNING_NAME
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &free_all, &rows, call->tenant, device);

	return err != OK ? err : publish_all(call, rows, "its device was retired");
}

err_t store_prune(struct call *call)
{
	static const struct db_statement prune = {
		"WITH over AS (DELETE FROM dns.challenge WHERE expires_at < now()"
		" RETURNING tenant_id, registration)"
		" UPDATE dns.registration AS r SET changed = pg_current_xact_id()"
		" FROM over WHERE r.tenant_id = over.tenant_id AND r.id = over.registration"
		" RETURNING r.zone"
	};
	static const struct db_statement gone = {
		"DELETE FROM dns.gone WHERE at < now() - interval '1 day'"
	};
	AUTO_ROWS rows = NULL;
	err_t err = db_query(call, &prune, &rows, 0, NULL);

	for (size_t i = 0; err == OK && i < db_count(rows); i++)
		err = store_zone_changed(call, (int)db_int(rows, i, "zone"));
	return err != OK ? err : db_query(call, &gone, NULL, 0, NULL);
}

err_t store_warn(struct call *call, long after_days, struct store_holder *holder, bool *found)
{
	static const struct db_statement warn = {
		"WITH r AS (UPDATE dns.registration SET warned_at = now() WHERE (tenant_id, id) ="
		" (SELECT tenant_id, id FROM dns.registration WHERE warned_at IS NULL"
		" AND seen_at < now() - make_interval(days => $1::int) LIMIT 1) RETURNING *)"
		" SELECT r.tenant_id, r.id, r.label, zone.name AS zone_name, r.zone, r.device,"
		" r.kind, r.email, r.live, r.suspended, r.kite FROM r JOIN dns.zone ON zone.number "
		"= r.zone"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &warn, &rows, number_text(call, after_days));

	if (err != OK)
		return err;
	*found = db_count(rows) > 0;
	if (*found)
		store_holder_fill(call, rows, holder);
	return OK;
}

err_t store_forget(struct call *call, long after_days)
{
	static const struct db_statement forget = {
		"DELETE FROM dns.registration AS r WHERE (tenant_id, id) IN ("
		"SELECT tenant_id, id FROM dns.registration"
		" WHERE seen_at < now() - make_interval(days => $1::int)"
		" AND warned_at < now() - interval '7 days' LIMIT 500)" RETURNING_NAME
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &forget, &rows, number_text(call, after_days));

	return err != OK ? err : publish_all(call, rows, "it was forgotten");
}

err_t store_leave(struct call *call)
{
	static const struct db_statement zones = {
		"SELECT DISTINCT zone FROM dns.registration WHERE tenant_id = $1"
		" UNION SELECT number FROM dns.zone WHERE members"
		" AND EXISTS (SELECT FROM dns.name WHERE tenant_id = $1)"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &zones, &rows, call->tenant);

	event_doorbell(call, STORE_DOORBELL);
	for (size_t i = 0; err == OK && i < db_count(rows); i++)
		err = store_zone_changed(call, (int)db_int(rows, i, "zone"));
	return err;
}
