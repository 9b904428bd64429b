/* store_zone: see store_zone.h. In the thread of the call. */
#include "services/dns/store_zone.h"

#include "lib/db.h"
#include "lib/event.h"
#include "lib/keyring.h"

#include <stdio.h>
#include <string.h>

#define FLEET "00000000-0000-7000-8000-000000000000" /* tenant of the fleet's operators */

static const char *number_text(struct call *call, long long number)
{
	return arena_printf(call->arena, "%lld", number);
}

static const char *bool_text(bool value)
{
	return value ? "t" : "f";
}

/* ---- zones ---- */

err_t store_zone_ensure(struct call *call, const char *name, bool open, bool members)
{
	static const struct db_statement ensure = {
		"WITH made AS (INSERT INTO dns.zone AS old (tenant_id, name, open, members)"
		" VALUES ('" FLEET "', $1, $2, $3)"
		" ON CONFLICT ON CONSTRAINT zone_once DO UPDATE"
		" SET open = excluded.open, members = excluded.members, changed = "
		"pg_current_xact_id()"
		" WHERE old.open <> excluded.open OR old.members <> excluded.members"
		" RETURNING number)"
		" INSERT INTO dns.serial (zone) SELECT number FROM made ON CONFLICT DO NOTHING"
	};

	event_doorbell(call, STORE_DOORBELL);
	return DB_QUERY(call, &ensure, NULL, name, bool_text(open), bool_text(members));
}

#define ZONE                                                                                       \
	"zone.id, zone.name, zone.open, serial.serial % 4294967296 AS serial,"                     \
	" fabric.rfc3339(zone.created_at) AS created_at"

err_t store_zone_create(struct call *call, const char *name, bool open, Dns__Zone *zone)
{
	static const struct db_statement create = {
		"WITH zone AS (INSERT INTO dns.zone (tenant_id, name, open) VALUES ($1, $2, $3)"
		" RETURNING *), serial AS (INSERT INTO dns.serial (zone) SELECT number FROM zone"
		" RETURNING *) SELECT " ZONE " FROM zone, serial"
	};
	const char *params[] = { call->tenant, name, bool_text(open) };
	err_t err = db_one(call, &create, &zone->base, "zone", ARRAY_LEN(params), params);

	if (err == ERR_ALREADY_EXISTS)
		return call_refuse(call, err, "name", "there is a zone %s already", name);
	event_doorbell(call, STORE_DOORBELL);
	return err;
}

err_t store_zone_get(struct call *call, const char *id, Dns__Zone *zone)
{
	static const struct db_statement get = {
		"SELECT " ZONE " FROM dns.zone JOIN dns.serial ON serial.zone = zone.number"
		" WHERE tenant_id = $1 AND id = $2"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &get, &zone->base, "zone", ARRAY_LEN(params), params);
}

err_t store_zone_list(struct call *call, const Dns__ListRequest *request, Dns__ZoneList *list)
{
	static const struct db_statement page = {
		"SELECT " ZONE " FROM dns.zone JOIN dns.serial ON serial.zone = zone.number"
		" WHERE tenant_id = $1"
		" AND id > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')"
		" ORDER BY zone.id LIMIT $3::bigint"
	};
	const char *params[] = { call->tenant, request->cursor,
		number_text(call, db_page_limit(request->limit) + 1) };

	return db_page(call, &page, &list->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_zone_delete(struct call *call, const char *id)
{
	static const struct db_statement delete = {
		"DELETE FROM dns.zone WHERE tenant_id = $1 AND id = $2 RETURNING id"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &delete, &rows, call->tenant, id);

	if (err == ERR_FAILED_PRECONDITION)
		return call_refuse(call, err, "id", "expected a zone without registrations");
	if (err == OK && db_count(rows) == 0)
		return call_refuse(call, ERR_NOT_FOUND, "id", "no zone %s here", id);
	event_doorbell(call, STORE_DOORBELL);
	return err;
}

/* ---- serials ---- */

#define RISE "UPDATE dns.serial SET serial = serial + 1, changed = pg_current_xact_id()"

err_t store_zone_changed(struct call *call, int zone)
{
	static const struct db_statement changed = { RISE " WHERE zone = $1" };

	event_doorbell(call, STORE_DOORBELL);
	return DB_QUERY(call, &changed, NULL, number_text(call, zone));
}

static err_t kind_changed(struct call *call, bool members)
{
	static const struct db_statement changed = { RISE
		" FROM dns.zone_name AS zone"
		" WHERE serial.zone = zone.number AND zone.members = $1" };

	event_doorbell(call, STORE_DOORBELL);
	return DB_QUERY(call, &changed, NULL, bool_text(members));
}

err_t store_tunnel_changed(struct call *call)
{
	return kind_changed(call, false);
}

err_t store_members_changed(struct call *call)
{
	return kind_changed(call, true);
}

err_t store_zone_notified(struct call *call, int zone, uint32_t serial)
{
	static const struct db_statement notified = {
		"UPDATE dns.serial SET notified = $2::bigint, changed = pg_current_xact_id()"
		" WHERE zone = $1"
	};

	return DB_QUERY(call, &notified, NULL, number_text(call, zone), number_text(call, serial));
}

/* ---- DNSSEC and settings ---- */

/* Touches the zone, so that every instance reads its keys and settings again. */
static err_t touch(struct call *call, int zone)
{
	static const struct db_statement touched = {
		"UPDATE dns.zone SET changed = pg_current_xact_id() WHERE number = $1"
	};
	err_t err = DB_QUERY(call, &touched, NULL, number_text(call, zone));

	return err != OK ? err : store_zone_changed(call, zone);
}

err_t store_key_add(struct call *call, struct store_key *key)
{
	static const struct db_statement add = {
		"INSERT INTO dns.zone_key (zone, flags, active, published, sealed)"
		" VALUES ($1, $2, $3, $4, $5) RETURNING id"
	};
	AUTO_ROWS rows = NULL;
	err_t err;

	err = DB_QUERY(call, &add, &rows, number_text(call, key->zone),
		number_text(call, key->flags), bool_text(key->active), bool_text(key->published),
		keyring_seal(call->arena, KEYRING_ZONE_KEY, key->content));
	if (err != OK)
		return err;
	key->id = (int)db_int(rows, 0, "id");
	return touch(call, key->zone);
}

static err_t change_key(struct call *call, const struct db_statement *statement,
	const struct store_key *key, bool value)
{
	AUTO_ROWS rows = NULL;
	err_t err;

	err = DB_QUERY(call, statement, &rows, number_text(call, key->zone),
		number_text(call, key->id), bool_text(value));
	if (err == OK && db_count(rows) == 0)
		return call_refuse(call, ERR_NOT_FOUND, "id", "no key %d of the zone", key->id);
	return err != OK ? err : touch(call, key->zone);
}

err_t store_key_remove(struct call *call, const struct store_key *key)
{
	static const struct db_statement remove = {
		"DELETE FROM dns.zone_key WHERE zone = $1 AND id = $2 AND $3::boolean RETURNING id"
	};

	return change_key(call, &remove, key, true);
}

err_t store_key_activate(struct call *call, const struct store_key *key)
{
	static const struct db_statement activate = {
		"UPDATE dns.zone_key SET active = $3 WHERE zone = $1 AND id = $2 RETURNING id"
	};

	return change_key(call, &activate, key, key->active);
}

err_t store_key_publish(struct call *call, const struct store_key *key)
{
	static const struct db_statement publish = {
		"UPDATE dns.zone_key SET published = $3 WHERE zone = $1 AND id = $2 RETURNING id"
	};

	return change_key(call, &publish, key, key->published);
}

err_t store_metadata_set(struct call *call, int zone, const char *kind, const char *values)
{
	static const struct db_statement set = {
		"INSERT INTO dns.zone_metadata (zone, kind, value) VALUES ($1, $2, $3)"
		" ON CONFLICT (zone, kind) DO UPDATE SET value = excluded.value"
	};
	static const struct db_statement prune = {
		"DELETE FROM dns.zone_metadata WHERE zone = $1 AND value = '{}'"
	};
	err_t err = DB_QUERY(call, &set, NULL, number_text(call, zone), kind, values);

	if (err != OK || (err = DB_QUERY(call, &prune, NULL, number_text(call, zone))) != OK)
		return err;
	return touch(call, zone);
}

/* ---- TSIG ---- */

err_t store_tsig_set(struct call *call, const struct store_tsig *key)
{
	static const struct db_statement set = {
		"INSERT INTO dns.tsig_key (name, algorithm, sealed) VALUES ($1, $2, $3)"
		" ON CONFLICT (name) DO UPDATE"
		" SET algorithm = excluded.algorithm, sealed = excluded.sealed"
	};

	return DB_QUERY(call, &set, NULL, key->name, key->algorithm,
		keyring_seal(call->arena, KEYRING_ZONE_KEY, key->content));
}

err_t store_tsig_delete(struct call *call, const char *name)
{
	static const struct db_statement delete = { "DELETE FROM dns.tsig_key WHERE name = $1" };

	return DB_QUERY(call, &delete, NULL, name);
}

err_t store_tsig_list(struct call *call, const char *name, struct store_tsig **keys, size_t *n)
{
	static const struct db_statement list = {
		"SELECT name, algorithm, sealed FROM dns.tsig_key"
		" WHERE $1::text IS NULL OR name = $1 ORDER BY name"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &list, &rows, name);

	if (err != OK)
		return err;
	*n = db_count(rows);
	*keys = arena_alloc(call->arena, (*n + 1) * sizeof(**keys));
	for (size_t i = 0; i < *n; i++) {
		struct store_tsig *key = &(*keys)[i];

		key->name = arena_strdup(call->arena, db_text(rows, i, "name"));
		key->algorithm = arena_strdup(call->arena, db_text(rows, i, "algorithm"));
		if ((err = keyring_unseal(call->arena, KEYRING_ZONE_KEY, db_text(rows, i, "sealed"),
			     &key->content)) != OK)
			return err;
	}
	return OK;
}
