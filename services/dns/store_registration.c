/* store_registration: see store_registration.h. In the thread of the call. */
#include "services/dns/store_registration.h"

#include "lib/db.h"
#include "lib/keyring.h"
#include "services/dns/store_kite.h"
#include "services/dns/store_time.h"
#include "services/dns/store_zone.h"

#include <stdio.h>
#include <string.h>

static const char *number_text(struct call *call, long long number)
{
	return arena_printf(call->arena, "%lld", number);
}

/* The digest also says what the secret is for. */
static const char *digest_of(struct call *call, enum store_secret use, const char *secret)
{
	const char *text = arena_printf(call->arena, "%d:%s", (int)use, secret);
	char *hex = arena_alloc(call->arena, KEYRING_DIGEST_HEX);

	keyring_digest(KEYRING_NAME_SECRET, (const unsigned char *)text, strlen(text), hex);
	return hex;
}

/* ---- finding ---- */

#define HOLDER                                                                                     \
	"SELECT r.tenant_id, r.id, r.label, zone.name AS zone_name, r.zone, r.device, r.kind,"     \
	" r.email, r.live, r.suspended, r.kite FROM dns.registration AS r JOIN dns.zone_name AS "  \
	"zone"                                                                                     \
	" ON zone.number = r.zone "

void store_holder_fill(struct call *call, const struct db_rows *rows, struct store_holder *holder)
{
	*holder = (struct store_holder){
		.tenant = arena_strdup(call->arena, db_text(rows, 0, "tenant_id")),
		.id = arena_strdup(call->arena, db_text(rows, 0, "id")),
		.label = arena_strdup(call->arena, db_text(rows, 0, "label")),
		.zone_name = arena_strdup(call->arena, db_text(rows, 0, "zone_name")),
		.device = arena_strdup(call->arena, db_text(rows, 0, "device")),
		.kind = arena_strdup(call->arena, db_text(rows, 0, "kind")),
		.email = arena_strdup(call->arena, db_text(rows, 0, "email")),
		.zone = (int)db_int(rows, 0, "zone"),
		.live = db_bool(rows, 0, "live"),
		.suspended = db_bool(rows, 0, "suspended"),
		.kite = arena_strdup(call->arena, db_text(rows, 0, "kite")),
	};
	holder->name = arena_printf(call->arena, "%s.%s", holder->label, holder->zone_name);
}

static err_t holder_query(struct call *call, const struct db_statement *statement,
	struct store_holder *holder, const char *field, size_t n, const char *const params[])
{
	AUTO_ROWS rows = NULL;
	err_t err = db_query(call, statement, &rows, n, params);

	if (err != OK)
		return err;
	if (db_count(rows) == 0)
		return call_refuse(call, ERR_NOT_FOUND, field, "this is nobody's");
	store_holder_fill(call, rows, holder);
	return OK;
}

err_t store_holder_find(
	struct call *call, enum store_secret use, const char *secret, struct store_holder *holder)
{
	static const struct {
		struct db_statement statement;
		const char *field;
	} by[] = {
		[SECRET_TOKEN] = { { HOLDER "WHERE r.token = $1 AND NOT r.suspended"
					    " FOR NO KEY UPDATE OF r" },
			"token" },
		[SECRET_RECLAMATION] = { { HOLDER "WHERE r.reclamation = $1"
						  " AND r.reclamation_until > now()"
						  " AND NOT r.suspended"
						  " FOR NO KEY UPDATE OF r" },
			"reclamation_token" },
		[SECRET_VERIFICATION] = { { HOLDER "WHERE r.verification = $1"
						   " AND r.verification_until > now()"
						   " FOR NO KEY UPDATE OF r" },
			"secret" },
	};
	const char *params[] = { *secret != '\0' ? digest_of(call, use, secret) : NULL };

	return holder_query(call, &by[use].statement, holder, by[use].field, 1, params);
}

err_t store_holder_named(
	struct call *call, int zone, const char *label, struct store_holder *holder)
{
	static const struct db_statement named = { HOLDER
		"WHERE r.zone = $1 AND r.label = $2 FOR NO KEY UPDATE OF r" };
	const char *params[] = { number_text(call, zone), label };

	return holder_query(call, &named, holder, "name", ARRAY_LEN(params), params);
}

err_t store_holder_of_challenge(struct call *call, const char *owner, struct store_holder *holder)
{
	static const struct db_statement of = { HOLDER
		"WHERE '_acme-challenge.' || r.label || '.' || zone.name = $1"
		" AND r.label = split_part($1, '.', 2) FOR NO KEY UPDATE OF r" };

	return holder_query(call, &of, holder, "name", 1, &owner);
}

err_t store_holder_by_id(struct call *call, const char *id, struct store_holder *holder)
{
	static const struct db_statement by_id = { HOLDER
		"WHERE r.tenant_id = $1 AND r.id = $2 FOR NO KEY UPDATE OF r" };
	const char *params[] = { call->tenant, id };

	return holder_query(call, &by_id, holder, "id", ARRAY_LEN(params), params);
}

/* ---- changes ---- */

err_t store_registration_add(
	struct call *call, const struct store_new *new, const char **id, bool *taken)
{
	static const struct db_statement add = {
		"INSERT INTO dns.registration (tenant_id, zone, label, device, kind, description,"
		" email, public_ip, token)"
		" VALUES ($1, $2, $3, nullif($4, '')::uuid, $5, $6, $7, nullif($8, '')::inet, $9)"
		" ON CONFLICT ON CONSTRAINT registration_label DO NOTHING RETURNING id"
	};
	AUTO_ROWS rows = NULL;
	err_t err;

	err = DB_QUERY(call, &add, &rows, new->tenant, number_text(call, new->zone), new->label,
		new->device, new->kind, new->description, new->email, new->origin,
		digest_of(call, SECRET_TOKEN, new->token));
	if (err != OK)
		return err;
	*taken = db_count(rows) == 0;
	if (*taken)
		return OK;
	*id = arena_strdup(call->arena, db_text(rows, 0, "id"));
	err = store_kite_keep(call, new->tenant, *id, new->token);
	return err != OK ? err : store_zone_changed(call, new->zone);
}

err_t store_registration_count(struct call *call, const char *device, long long *n)
{
	static const struct db_statement count = {
		"SELECT count(*) AS n FROM dns.registration WHERE tenant_id = $1 AND device = $2"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &count, &rows, call->tenant, device);

	if (err == OK)
		*n = db_int(rows, 0, "n");
	return err;
}

err_t store_registration_renew(
	struct call *call, const struct store_holder *holder, const char *token)
{
	static const struct db_statement renew = {
		"UPDATE dns.registration SET token = $3, reclamation = NULL,"
		" reclamation_until = NULL, seen_at = now(), warned_at = NULL, live = true,"
		" blocked = false, kite = NULL, changed = pg_current_xact_id() WHERE tenant_id = "
		"$1 AND id = "
		"$2"
	};
	err_t err;

	if ((err = DB_QUERY(call, &renew, NULL, holder->tenant, holder->id,
		     digest_of(call, SECRET_TOKEN, token))) != OK ||
		(err = store_kite_keep(call, holder->tenant, holder->id, token)) != OK ||
		(err = store_zone_changed(call, holder->zone)) != OK)
		return err;
	return store_name_publish(call, holder->id, holder->name, "it has a new token");
}

err_t store_registration_delete(struct call *call, const struct store_holder *holder)
{
	static const struct db_statement delete = {
		"DELETE FROM dns.registration WHERE tenant_id = $1 AND id = $2"
	};
	err_t err;

	if ((err = DB_QUERY(call, &delete, NULL, holder->tenant, holder->id)) != OK ||
		(err = store_zone_changed(call, holder->zone)) != OK)
		return err;
	return store_name_publish(call, holder->id, holder->name, "it was given up");
}

/* The row is read again by every instance only if what it is found by has changed. If not, nobody
 * waits for the disk: a sign of life that a crash loses is made good by the next one. */
err_t store_registration_contact(
	struct call *call, const struct store_holder *holder, const struct store_contact *contact)
{
	static const struct db_statement heard = {
		"UPDATE dns.registration AS r SET seen_at = now(), warned_at = NULL, live = true,"
		" public_ip = coalesce(nullif($3, '')::inet, public_ip),"
		" local_ips = coalesce($4::text[], local_ips), account = coalesce($5, account),"
		" changed = CASE WHEN live AND local_ips = coalesce($4::text[], local_ips)"
		" AND account = coalesce($5, account) AND (kind <> 'dynamic' OR"
		" public_ip IS NOT DISTINCT FROM coalesce(nullif($3, '')::inet, public_ip))"
		" THEN changed ELSE pg_current_xact_id() END"
		" WHERE tenant_id = $1 AND id = $2"
		" RETURNING changed = pg_current_xact_id() AS changed,"
		" CASE WHEN changed <> pg_current_xact_id()"
		" THEN set_config('synchronous_commit', 'off', true) END"
	};
	AUTO_ROWS rows = NULL;
	err_t err;

	err = DB_QUERY(call, &heard, &rows, holder->tenant, holder->id, contact->origin,
		contact->local_ips, contact->account);
	if (err != OK || !db_bool(rows, 0, "changed"))
		return err;
	return store_zone_changed(call, holder->zone);
}

err_t store_registration_reclamation(
	struct call *call, const struct store_holder *holder, const char *secret)
{
	static const struct db_statement set = {
		"UPDATE dns.registration SET reclamation = $3,"
		" reclamation_until = now() + interval '1 day' WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &set, NULL, holder->tenant, holder->id,
		digest_of(call, SECRET_RECLAMATION, secret));
}

err_t store_registration_email(struct call *call, const struct store_holder *holder,
	const char *email, bool optout, const char *secret)
{
	static const struct db_statement set = {
		"UPDATE dns.registration SET email = $3, optout = $4, verified = false,"
		" verification = $5, verification_until = now() + interval '1 day'"
		" WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &set, NULL, holder->tenant, holder->id, email, optout ? "t" : "f",
		digest_of(call, SECRET_VERIFICATION, secret));
}

err_t store_registration_verified(
	struct call *call, const struct store_holder *holder, bool verified)
{
	static const struct db_statement set = {
		"UPDATE dns.registration SET verified = $3, verification = NULL,"
		" verification_until = NULL WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &set, NULL, holder->tenant, holder->id, verified ? "t" : "f");
}

/* ---- challenges ---- */

bool store_challenge_fine(const char *value)
{
	size_t len = strlen(value);

	return len > 0 && len <= STORE_CHALLENGE_LEN &&
	       strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
		       len;
}

static char challenge_life[32]; /* an interval */

void store_registration_init(long challenge_s)
{
	snprintf(challenge_life, sizeof(challenge_life), "%ld seconds", challenge_s);
}

static err_t challenges_changed(struct call *call, const struct store_holder *holder)
{
	static const struct db_statement touch = {
		"UPDATE dns.registration SET seen_at = now(), warned_at = NULL,"
		" changed = pg_current_xact_id() WHERE tenant_id = $1 AND id = $2"
	};
	err_t err = DB_QUERY(call, &touch, NULL, holder->tenant, holder->id);

	return err != OK ? err : store_zone_changed(call, holder->zone);
}

err_t store_challenge_set(struct call *call, const struct store_holder *holder, const char *value)
{
	static const struct db_statement set = {
		"INSERT INTO dns.challenge (tenant_id, registration, value, expires_at)"
		" VALUES ($1, $2, $3, now() + $4::interval)"
		" ON CONFLICT (tenant_id, registration, value) DO UPDATE"
		" SET expires_at = excluded.expires_at, created_at = clock_timestamp()"
	};
	static const struct db_statement prune = {
		"DELETE FROM dns.challenge WHERE tenant_id = $1 AND registration = $2"
		" AND value NOT IN (SELECT value FROM dns.challenge"
		" WHERE tenant_id = $1 AND registration = $2"
		" ORDER BY challenge.created_at DESC LIMIT $3::bigint)"
	};
	err_t err;

	if ((err = DB_QUERY(call, &set, NULL, holder->tenant, holder->id, value, challenge_life)) !=
			OK ||
		(err = DB_QUERY(call, &prune, NULL, holder->tenant, holder->id,
			 number_text(call, STORE_CHALLENGES_MAX))) != OK)
		return err;
	return challenges_changed(call, holder);
}

err_t store_challenge_remove(
	struct call *call, const struct store_holder *holder, const char *value)
{
	static const struct db_statement remove = {
		"DELETE FROM dns.challenge WHERE tenant_id = $1 AND registration = $2"
		" AND value = $3"
	};
	err_t err = DB_QUERY(call, &remove, NULL, holder->tenant, holder->id, value);

	return err != OK ? err : challenges_changed(call, holder);
}

err_t store_challenge_clear(struct call *call, const struct store_holder *holder)
{
	static const struct db_statement clear = {
		"DELETE FROM dns.challenge WHERE tenant_id = $1 AND registration = $2"
	};
	err_t err = DB_QUERY(call, &clear, NULL, holder->tenant, holder->id);

	return err != OK ? err : challenges_changed(call, holder);
}

/* ---- reading ---- */

#define REGISTRATION                                                                               \
	"r.id, r.label || '.' || zone.name AS name, r.device, r.kind, r.description, r.email,"     \
	" r.verified, r.local_ips, host(r.public_ip) AS public_ip, r.live,"                        \
	" fabric.rfc3339(r.seen_at) AS seen_at, fabric.rfc3339(r.created_at) AS created_at"

/* The zone may be the fleet's, whose row the tenant does not see. */
#define FROM_REGISTRATION                                                                          \
	" FROM dns.registration AS r JOIN dns.zone_name AS zone ON zone.number = r.zone"

err_t store_registration_get(struct call *call, const char *id, Dns__Registration *reply)
{
	static const struct db_statement get = { "SELECT " REGISTRATION FROM_REGISTRATION
						 " WHERE r.tenant_id = $1 AND r.id = $2" };
	const char *params[] = { call->tenant, id };

	return db_one(call, &get, &reply->base, "registration", ARRAY_LEN(params), params);
}

err_t store_registration_list(struct call *call, const Dns__ListRegistrationsRequest *request,
	Dns__RegistrationList *list)
{
	static const struct db_statement page = {
		"SELECT " REGISTRATION FROM_REGISTRATION " WHERE r.tenant_id = $1"
		" AND r.id > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')"
		" AND ($3 = '' OR r.device = nullif($3, '')::uuid)"
		" ORDER BY r.id LIMIT $4::bigint"
	};
	const char *params[] = { call->tenant, request->cursor, request->device,
		number_text(call, db_page_limit(request->limit) + 1) };

	return db_page(call, &page, &list->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_registration_holding(
	struct call *call, const struct store_holder *holder, Dns__Holding *holding)
{
	static const struct db_statement get = {
		"SELECT r.id, r.label || '.' || zone.name AS name, zone.name AS zone,"
		" r.description, r.kind, r.email, r.verified, r.local_ips,"
		" host(r.public_ip) AS public_ip, extract(epoch FROM r.seen_at)::bigint AS seen_at,"
		" r.live, ARRAY(SELECT value FROM dns.challenge AS c WHERE c.tenant_id = "
		"r.tenant_id"
		" AND c.registration = r.id AND expires_at > now() ORDER BY c.created_at)"
		" AS challenges" FROM_REGISTRATION " WHERE r.tenant_id = $1 AND r.id = $2"
	};
	const char *params[] = { holder->tenant, holder->id };

	return db_one(call, &get, &holding->base, "registration", ARRAY_LEN(params), params);
}

/* ---- for others ---- */

static err_t near_fill(struct call *call, const struct db_rows *rows, Dns__NearList *list)
{
	list->n_items = db_count(rows);
	list->items = arena_alloc(call->arena, (list->n_items + 1) * sizeof(*list->items));
	for (size_t i = 0; i < list->n_items; i++) {
		list->items[i] = arena_alloc(call->arena, sizeof(*list->items[i]));
		dns__near__init(list->items[i]);
		db_message(rows, i, call->arena, &list->items[i]->base);
	}
	return OK;
}

err_t store_near(struct call *call, int zone, const char *origin, Dns__NearList *list)
{
	static const struct db_statement near = {
		"SELECT 'https://local.' || r.label || '.' || zone.name AS href,"
		" r.description AS desc FROM dns.registration AS r"
		" JOIN dns.zone ON zone.number = r.zone WHERE r.zone = $1"
		" AND r.public_ip = nullif($2, '')::inet AND r.live AND r.local_ips <> '{}'"
		" ORDER BY r.id LIMIT 100"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &near, &rows, number_text(call, zone), origin);

	return err != OK ? err : near_fill(call, rows, list);
}

err_t store_discovered(struct call *call, const char *word, const char *origin, Dns__NearList *list)
{
	static const struct db_statement discovered = {
		"SELECT 'https://' || CASE WHEN r.public_ip = nullif($2, '')::inet THEN 'local.'"
		" ELSE '' END || r.label || '.' || zone.name AS href, r.description AS desc"
		" FROM dns.discovery AS d JOIN dns.registration AS r"
		" ON r.tenant_id = d.tenant_id AND r.id = d.registration"
		" JOIN dns.zone ON zone.number = r.zone WHERE d.word = $1 AND r.live"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &discovered, &rows, word, origin);

	return err != OK ? err : near_fill(call, rows, list);
}

err_t store_discovery_set(struct call *call, const struct store_holder *holder, const char *word,
	bool remove, bool *changed)
{
	static const struct db_statement add = {
		"INSERT INTO dns.discovery (tenant_id, registration, word) VALUES ($1, $2, $3)"
		" ON CONFLICT DO NOTHING RETURNING word"
	};
	static const struct db_statement drop = {
		"DELETE FROM dns.discovery WHERE tenant_id = $1 AND registration = $2"
		" AND word = $3 RETURNING word"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, remove ? &drop : &add, &rows, holder->tenant, holder->id, word);

	if (err == OK)
		*changed = db_count(rows) > 0;
	return err;
}
