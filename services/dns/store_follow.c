/* store_follow: see store_follow.h. In the thread of follow. */
#include "services/dns/store_follow.h"

#include "lib/db.h"
#include "lib/keyring.h"
#include "lib/log.h"
#include "services/dns/store_kite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everything of an older transaction is there now, or never will be. Read first: what commits after
 * it is read again by the next look, which does no harm. */
static const struct db_statement place = {
	"SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS next"
};

static const struct db_statement changed_zones = {
	"SELECT zone.id, zone.tenant_id AS tenant, zone.name, zone.number, zone.open, zone.members,"
	" serial.serial % 4294967296 AS serial, serial.notified"
	" FROM dns.zone JOIN dns.serial ON serial.zone = zone.number"
	" WHERE zone.changed >= $1::xid8 OR serial.changed >= $1::xid8"
};

static const struct db_statement zone_keys = {
	"SELECT id, flags, active, published, sealed FROM dns.zone_key WHERE zone = $1 ORDER BY id"
};

static const struct db_statement zone_metadata = {
	"SELECT kind, array_to_string(value, chr(10)) AS value FROM dns.zone_metadata"
	" WHERE zone = $1"
};

static const struct db_statement changed_names = {
	"SELECT name.id, zone.number AS zone, name.name || '.' || zone.name AS name,"
	" host(ipv4) AS ipv4, host(ipv6) AS ipv6"
	" FROM dns.name JOIN dns.zone ON zone.members WHERE name.changed >= $1::xid8"
};

static const struct db_statement changed_registrations = {
	"SELECT r.id, r.zone, r.label || '.' || zone.name AS name, r.kind, r.live,"
	" host(r.public_ip) AS public_ip, r.account, r.suspended, r.kite,"
	" array_to_string(r.local_ips, ' ') AS local_ips,"
	" (SELECT string_agg(value || ' ' || extract(epoch FROM expires_at)::bigint, ' '"
	" ORDER BY c.created_at DESC) FROM dns.challenge AS c"
	" WHERE c.tenant_id = r.tenant_id AND c.registration = r.id) AS challenges"
	" FROM dns.registration AS r JOIN dns.zone ON zone.number = r.zone"
	" WHERE r.changed >= $1::xid8"
};

static const struct db_statement changed_gone = {
	"SELECT id FROM dns.gone WHERE changed >= $1::xid8"
	" AND NOT EXISTS (SELECT FROM dns.name WHERE name.id = gone.id)"
	" AND NOT EXISTS (SELECT FROM dns.registration WHERE registration.id = gone.id)"
	" AND NOT EXISTS (SELECT FROM dns.zone WHERE zone.id = gone.id)"
};

/* ---- zones ---- */

static err_t read_keys(struct call *call, const char *number, struct directory_zone *zone)
{
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &zone_keys, &rows, number);

	if (err != OK)
		return err;
	zone->keys = arena_alloc(zone->arena, (db_count(rows) + 1) * sizeof(*zone->keys));
	for (size_t i = 0; i < db_count(rows); i++) {
		struct directory_key *key = &zone->keys[zone->n_keys];

		key->id = (int)db_int(rows, i, "id");
		key->flags = (int)db_int(rows, i, "flags");
		key->active = db_bool(rows, i, "active");
		key->published = db_bool(rows, i, "published");
		if (keyring_unseal(zone->arena, KEYRING_ZONE_KEY, db_text(rows, i, "sealed"),
			    &key->content) == OK)
			zone->n_keys++;
		else
			log_error("zone_key_unreadable", "zone=%s key=%d action=\"left out\"",
				zone->name, key->id);
	}
	return OK;
}

/* Splits at each separator, in place; the list is NULL-terminated. */
static const char **split(struct arena *arena, const char *text, char separator, size_t *n)
{
	char *copy = arena_strdup(arena, text), *at = copy;
	const char **parts;
	size_t max = 1;

	*n = 0;
	for (const char *c = text; *c != '\0'; c++)
		max += *c == separator ? 1 : 0;
	parts = arena_alloc(arena, (max + 1) * sizeof(*parts));
	if (*text == '\0')
		return parts;
	for (;;) {
		char *end = strchr(at, separator);

		parts[(*n)++] = at;
		if (end == NULL)
			return parts;
		*end = '\0';
		at = end + 1;
	}
}

static err_t read_metadata(struct call *call, const char *number, struct directory_zone *zone)
{
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &zone_metadata, &rows, number);
	size_t n;

	if (err != OK)
		return err;
	zone->n_metadata = db_count(rows);
	zone->metadata = arena_alloc(zone->arena, (zone->n_metadata + 1) * sizeof(*zone->metadata));
	for (size_t i = 0; i < zone->n_metadata; i++) {
		zone->metadata[i].kind = arena_strdup(zone->arena, db_text(rows, i, "kind"));
		zone->metadata[i].values = split(zone->arena, db_text(rows, i, "value"), '\n', &n);
	}
	return OK;
}

static struct directory_zone *zone_of(const struct db_rows *rows, size_t i)
{
	struct arena *arena = arena_create();
	struct directory_zone *zone = arena_alloc(arena, sizeof(*zone));

	zone->arena = arena;
	zone->id = arena_strdup(arena, db_text(rows, i, "id"));
	zone->tenant = arena_strdup(arena, db_text(rows, i, "tenant"));
	zone->name = arena_strdup(arena, db_text(rows, i, "name"));
	zone->number = (int)db_int(rows, i, "number");
	zone->open = db_bool(rows, i, "open");
	zone->members = db_bool(rows, i, "members");
	zone->serial = (uint32_t)db_int(rows, i, "serial");
	zone->notified = (uint32_t)db_int(rows, i, "notified");
	return zone;
}

static err_t read_zones(struct call *call, const char *since, struct store_changes *changes)
{
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &changed_zones, &rows, since);

	if (err != OK)
		return err;
	changes->zones = xcalloc(db_count(rows) + 1, sizeof(*changes->zones));
	for (size_t i = 0; i < db_count(rows); i++) {
		const char *number = db_text(rows, i, "number");
		struct directory_zone *zone = zone_of(rows, i);

		changes->zones[changes->n_zones++] = zone;
		if ((err = read_keys(call, number, zone)) != OK ||
			(err = read_metadata(call, number, zone)) != OK)
			return err;
	}
	return OK;
}

/* ---- holdings: packed into one allocation each ---- */

struct packer {
	char *at;
};

static const char *pack(struct packer *packer, const char *text)
{
	const char *copy = packer->at;

	packer->at = stpcpy(packer->at, text) + 1;
	return copy;
}

static enum holding_kind kind_of(const char *kind)
{
	if (strcmp(kind, "dynamic") == 0)
		return HOLDING_DYNAMIC;
	return strcmp(kind, "challenge") == 0 ? HOLDING_CHALLENGE : HOLDING_TUNNEL;
}

/* Room for the lists, then for the texts. */
static struct holding *holding_new(
	size_t n_local, size_t n_challenges, size_t text_len, struct packer *packer)
{
	size_t local_at = sizeof(struct holding);
	size_t challenges_at = local_at + (n_local + 1) * sizeof(char *);
	size_t text_at = challenges_at + (n_challenges + 1) * sizeof(struct holding_challenge);
	char *bytes = xcalloc(1, text_at + text_len);
	struct holding *holding = (struct holding *)bytes;

	holding->local_ips = (const char **)(bytes + local_at);
	holding->challenges = (struct holding_challenge *)(bytes + challenges_at);
	packer->at = bytes + text_at;
	return holding;
}

static struct holding *member_of(const struct db_rows *rows, size_t i)
{
	const char *id = db_text(rows, i, "id"), *name = db_text(rows, i, "name");
	const char *ipv4 = db_text(rows, i, "ipv4"), *ipv6 = db_text(rows, i, "ipv6");
	struct packer packer;
	struct holding *holding = holding_new(
		0, 0, strlen(id) + strlen(name) + strlen(ipv4) + strlen(ipv6) + 5, &packer);

	holding->id = pack(&packer, id);
	holding->zone = (int)db_int(rows, i, "zone");
	holding->name = pack(&packer, name);
	holding->kind = HOLDING_MEMBER;
	holding->live = true;
	holding->addresses[0] = pack(&packer, ipv4);
	holding->addresses[1] = pack(&packer, ipv6);
	holding->account = holding->kite = pack(&packer, "");
	return holding;
}

static struct holding *registration_of(const struct db_rows *rows, size_t i)
{
	AUTO_ARENA arena = arena_create();
	const char *id = db_text(rows, i, "id"), *name = db_text(rows, i, "name");
	const char *ip = db_text(rows, i, "public_ip"), *account = db_text(rows, i, "account");
	const char *local_text = db_text(rows, i, "local_ips");
	const char *challenge_text = db_text(rows, i, "challenges");
	char kite[KITE_SECRET_LEN];
	size_t n_local, n_words;
	const char **local = split(arena, local_text, ' ', &n_local);
	const char **words = split(arena, challenge_text, ' ', &n_words);
	struct packer packer;
	struct holding *holding = holding_new(n_local, n_words / 2,
		strlen(id) + strlen(name) + strlen(ip) + strlen(account) + strlen(local_text) +
			strlen(challenge_text) + sizeof(kite) + 8,
		&packer);

	holding->id = pack(&packer, id);
	holding->zone = (int)db_int(rows, i, "zone");
	holding->name = pack(&packer, name);
	holding->kind = kind_of(db_text(rows, i, "kind"));
	holding->live = db_bool(rows, i, "live");
	holding->addresses[0] = pack(&packer, ip);
	holding->addresses[1] = pack(&packer, "");
	holding->account = pack(&packer, account);
	store_kite_open(db_bool(rows, i, "suspended") ? "" : db_text(rows, i, "kite"), kite);
	holding->kite = pack(&packer, kite);
	for (size_t n = 0; n < n_local; n++)
		holding->local_ips[holding->n_local_ips++] = pack(&packer, local[n]);
	for (size_t n = 0; n + 1 < n_words; n += 2)
		holding->challenges[holding->n_challenges++] =
			(struct holding_challenge){ pack(&packer, words[n]),
				strtoll(words[n + 1], NULL, 10) };
	return holding;
}

static err_t read_holdings(struct call *call, const char *since, struct store_changes *changes)
{
	AUTO_ROWS names = NULL;
	AUTO_ROWS registrations = NULL;
	err_t err;

	if ((err = DB_QUERY(call, &changed_names, &names, since)) != OK ||
		(err = DB_QUERY(call, &changed_registrations, &registrations, since)) != OK)
		return err;
	changes->holdings =
		xcalloc(db_count(names) + db_count(registrations) + 1, sizeof(*changes->holdings));
	for (size_t i = 0; i < db_count(names); i++)
		changes->holdings[changes->n_holdings++] = member_of(names, i);
	for (size_t i = 0; i < db_count(registrations); i++)
		changes->holdings[changes->n_holdings++] = registration_of(registrations, i);
	return OK;
}

static err_t read_gone(struct call *call, const char *since, struct store_changes *changes)
{
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &changed_gone, &rows, since);

	if (err != OK)
		return err;
	changes->gone = xcalloc(db_count(rows) + 1, sizeof(*changes->gone));
	for (; changes->n_gone < db_count(rows); changes->n_gone++)
		changes->gone[changes->n_gone] = xstrdup(db_text(rows, changes->n_gone, "id"));
	return OK;
}

/* ---- all of it ---- */

err_t store_changes_read(struct call *call, uint64_t since, struct store_changes *changes)
{
	const char *from = arena_printf(call->arena, "%" PRIu64, since);
	AUTO_ROWS rows = NULL;
	err_t err;

	memset(changes, 0, sizeof(*changes));
	if ((err = db_query(call, &place, &rows, 0, NULL)) != OK)
		return err;
	changes->next = strtoull(db_text(rows, 0, "next"), NULL, 10);
	if ((err = read_zones(call, from, changes)) != OK ||
		(err = read_holdings(call, from, changes)) != OK ||
		(since != 0 && (err = read_gone(call, from, changes)) != OK))
		store_changes_finish(changes);
	return err;
}

void store_changes_apply(struct store_changes *changes, struct directory *directory)
{
	for (size_t i = 0; i < changes->n_gone; i++)
		directory_remove(directory, changes->gone[i]);
	for (size_t i = 0; i < changes->n_zones; i++)
		directory_put_zone(directory, changes->zones[i]);
	for (size_t i = 0; i < changes->n_holdings; i++)
		directory_put(directory, changes->holdings[i]);
	changes->n_zones = changes->n_holdings = 0;
}

void store_changes_finish(struct store_changes *changes)
{
	for (size_t i = 0; i < changes->n_zones; i++)
		arena_destroy(changes->zones[i]->arena);
	for (size_t i = 0; i < changes->n_holdings; i++)
		free(changes->holdings[i]);
	for (size_t i = 0; i < changes->n_gone; i++)
		free(changes->gone[i]);
	free(changes->zones);
	free(changes->holdings);
	free(changes->gone);
	memset(changes, 0, sizeof(*changes));
}
