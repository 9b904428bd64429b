/* store_rollout: see store_rollout.h. Runs in the thread of the call. */
#include "services/provision/rollout/store_rollout.h"

#include "services/provision/store.h"

#define NOT_GETTING_ON "10" /* polls that were told to fetch: about an hour */

#define COUNT(what)                                                                                \
	" (SELECT count(*) FROM provision.rollout_device d WHERE d.tenant_id = r.tenant_id"        \
	" AND d.rollout_id = r.id" what ")"
#define COLUMNS                                                                                                                                             \
	"id, state, reason, wave, first_percent, second_percent, max_open, fail_percent,"                                                                   \
	" fail_count," COUNT("") " AS devices," COUNT(                                                                                                      \
		" AND d.state = 'waiting'") " AS "                                                                                                          \
					    "waiting"                                                                                                       \
					    "," COUNT(                                                                                                      \
						    " AND"                                                                                                  \
						    " d."                                                                                                   \
						    "stat"                                                                                                  \
						    "e = "                                                                                                  \
						    "'ope"                                                                                                  \
						    "n'") " AS open," COUNT(" AND d.state = "                                                               \
									    "'done'") " AS "                                                                \
										      "done"                                                                \
										      "," COUNT(                                                            \
											      " A"                                                          \
											      "ND"                                                          \
											      " "                                                           \
											      "d."                                                          \
											      "st"                                                          \
											      "at"                                                          \
											      "e "                                                          \
											      "= "                                                          \
											      "'f"                                                          \
											      "ai"                                                          \
											      "le"                                                          \
											      "d"                                                           \
											      "'") " AS failed," COUNT(" AND d.state = 'left'") " AS left," \
																		" fabric.rfc3339(created_at) AS created_at, version"
#define SELECT "SELECT " COLUMNS " FROM provision.rollout r WHERE tenant_id = $1"

/* The order of devices within a rollout is that of a digest: a wave is a sample of the fleet. */
static err_t add_devices(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"INSERT INTO provision.rollout_device (tenant_id, rollout_id, device_id, wave)"
		" SELECT $1, r.id, device_id,"
		" CASE WHEN rank <= ceil(n * first_percent / 100.0) THEN 1"
		" WHEN rank <= ceil(n * second_percent / 100.0) THEN 2 ELSE 3 END"
		" FROM provision.rollout r, (SELECT device_id, count(*) OVER () AS n,"
		" row_number() OVER (ORDER BY md5($2 || device_id::text)) AS rank"
		" FROM provision.portal_device s JOIN provision.device d"
		" ON d.tenant_id = s.tenant_id AND d.id = s.device_id"
		" WHERE s.tenant_id = $1 AND d.state = 'approved') AS ranked"
		" WHERE r.tenant_id = $1 AND r.id = $2::uuid"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

err_t store_rollout_create(
	struct call *call, const Provision__Rollout *rollout, Provision__Rollout *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO provision.rollout (tenant_id, first_percent, second_percent, max_open,"
		" fail_percent, fail_count) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id"
	};
	AUTO_ROWS rows = NULL;
	const char *id;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant,
		store_number(call, rollout->first_percent),
		store_number(call, rollout->second_percent), store_number(call, rollout->max_open),
		store_number(call, rollout->fail_percent), store_number(call, rollout->fail_count));

	if (err == ERR_ALREADY_EXISTS)
		return call_refuse(call, err, "state",
			"a rollout is under way already: cancel it, or let it come to its end");
	if (err != OK)
		return err;
	id = arena_strdup(call->arena, db_text(rows, 0, "id"));
	err = add_devices(call, id);
	return err == OK ? store_rollout_get(call, id, reply) : err;
}

err_t store_rollout_get(struct call *call, const char *id, Provision__Rollout *reply)
{
	static const struct db_statement statement = { SELECT " AND id = $2" };
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "rollout", ARRAY_LEN(params), params);
}

err_t store_rollout_lock(struct call *call, const char *id, Provision__Rollout *reply)
{
	static const struct db_statement statement = { SELECT " AND id = $2 FOR UPDATE OF r" };
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "rollout", ARRAY_LEN(params), params);
}

err_t store_rollout_list(
	struct call *call, const Provision__ListRequest *request, Provision__RolloutList *reply)
{
	static const struct db_statement statement = { SELECT " AND id > $2 ORDER BY id LIMIT $3" };
	const char *params[] = { call->tenant, store_cursor(request->cursor),
		store_limit(call, request->limit) };

	return db_page(call, &statement, &reply->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_rollout_update(struct call *call, const Provision__Rollout *rollout)
{
	static const struct db_statement statement = {
		"UPDATE provision.rollout SET state = $3, reason = $4, wave = $5, max_open = $6,"
		" fail_percent = $7, fail_count = $8, version = version + 1"
		" WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, rollout->id, rollout->state,
		rollout->reason, store_number(call, rollout->wave),
		store_number(call, rollout->max_open), store_number(call, rollout->fail_percent),
		store_number(call, rollout->fail_count));
}

#define DEVICES(filter)                                                                            \
	"SELECT r.device_id AS id, serial, name, wave, r.state, number,"                           \
	" fabric.rfc3339(opened_at) AS opened_at FROM provision.rollout_device r"                  \
	" JOIN provision.portal_device s ON s.tenant_id = r.tenant_id"                             \
	" AND s.device_id = r.device_id JOIN provision.device d ON d.tenant_id = r.tenant_id"      \
	" AND d.id = r.device_id WHERE r.tenant_id = $1 AND r.device_id > $2 AND rollout_id = "    \
	"$4" filter " ORDER BY r.device_id LIMIT $3"

err_t store_rollout_devices(struct call *call, const Provision__ListRolloutDevicesRequest *request,
	Provision__RolloutDeviceList *reply)
{
	static const struct db_statement all = { DEVICES("") };
	static const struct db_statement of_state = { DEVICES(" AND r.state = $5") };
	const char *params[] = { call->tenant, store_cursor(request->cursor),
		store_limit(call, request->limit), request->id, request->state };
	bool any = *request->state == '\0';

	return db_page(call, any ? &all : &of_state, &reply->base, request->limit,
		ARRAY_LEN(params) - any, params);
}

err_t store_rollout_under_way(struct call *call, bool *under_way)
{
	static const struct db_statement statement = {
		"SELECT 1 FROM provision.rollout WHERE tenant_id = $1"
		" AND state IN ('running', 'paused', 'stopped')"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant);

	if (err == OK)
		*under_way = db_count(rows) > 0;
	return err;
}

/* ---- the task ---- */

/* A device that no VPN has told of before can't be expected to be seen there. One that got on after
 * all has not failed. */
err_t store_rollout_settle(struct call *call)
{
	static const struct db_statement statement = {
		"UPDATE provision.rollout_device r SET state = settled FROM"
		" (SELECT w.tenant_id, w.rollout_id, w.device_id, w.state AS before,"
		" CASE WHEN s.bad = w.number OR (s.current = w.number"
		" AND s.acknowledged <> w.number AND s.unanswered >= " NOT_GETTING_ON ")"
		" THEN 'failed'"
		" WHEN s.acknowledged = w.number AND (s.good = w.number OR w.good = 0) THEN 'done'"
		" WHEN s.current <> w.number OR d.state <> 'approved' THEN 'left'"
		" ELSE 'open' END AS settled"
		" FROM provision.rollout o JOIN provision.rollout_device w"
		" ON w.tenant_id = o.tenant_id AND w.rollout_id = o.id"
		" JOIN provision.portal_device s"
		" ON s.tenant_id = w.tenant_id AND s.device_id = w.device_id"
		" JOIN provision.device d ON d.tenant_id = w.tenant_id AND d.id = w.device_id"
		" WHERE o.state IN ('running', 'paused', 'stopped')"
		" AND w.state IN ('open', 'failed')) AS now"
		" WHERE r.tenant_id = now.tenant_id AND r.rollout_id = now.rollout_id"
		" AND r.device_id = now.device_id AND settled <> before"
	};

	return db_query(call, &statement, NULL, 0, NULL);
}

/* Silent is who was told nothing and has told nothing for three intervals. */
err_t store_rollout_counts(struct call *call, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT o.tenant_id AS tenant, o.id, o.wave, max_open, fail_percent, fail_count,"
		" c.* FROM provision.rollout o JOIN provision.portal p"
		" ON p.tenant_id = o.tenant_id CROSS JOIN LATERAL (SELECT count(*) AS size,"
		" count(*) FILTER (WHERE w.state = 'waiting') AS waiting,"
		" count(*) FILTER (WHERE w.state = 'open' AND greatest(opened_at, polled_at)"
		" > now() - make_interval(secs => 3 * p.interval_s)) AS awaited,"
		" count(*) FILTER (WHERE w.state = 'open' AND acknowledged <> number) AS fetching,"
		" count(*) FILTER (WHERE w.state = 'done') AS done,"
		" count(*) FILTER (WHERE w.state = 'failed') AS failed"
		" FROM provision.rollout_device w JOIN provision.portal_device s"
		" ON s.tenant_id = w.tenant_id AND s.device_id = w.device_id"
		" WHERE w.tenant_id = o.tenant_id AND w.rollout_id = o.id AND w.wave <= o.wave) AS "
		"c"
		" WHERE o.state = 'running' FOR UPDATE OF o"
	};

	return db_query(call, &statement, rows, 0, NULL);
}

err_t store_rollout_waiting(struct call *call, const char *id, int n, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT device_id AS device FROM provision.rollout_device"
		" WHERE tenant_id = $1 AND rollout_id = $2 AND state = 'waiting'"
		" ORDER BY wave, device_id LIMIT $3"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, id, store_number(call, (unsigned)n));
}

err_t store_rollout_opened(struct call *call, const char *id, const char *device)
{
	static const struct db_statement statement = {
		"UPDATE provision.rollout_device r SET state = 'open', number = current,"
		" good = s.good, opened_at = now() FROM provision.portal_device s"
		" WHERE r.tenant_id = $1 AND rollout_id = $2 AND r.device_id = $3"
		" AND s.tenant_id = r.tenant_id AND s.device_id = r.device_id"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id, device);
}

err_t store_rollout_withdraw(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"UPDATE provision.portal_device s SET bad = current, current = acknowledged,"
		" unanswered = 0, version = s.version + 1 FROM provision.rollout_device r"
		" WHERE r.tenant_id = $1 AND rollout_id = $2 AND s.tenant_id = r.tenant_id"
		" AND s.device_id = r.device_id AND r.state IN ('open', 'failed')"
		" AND current = number AND acknowledged NOT IN (0, number)"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}
