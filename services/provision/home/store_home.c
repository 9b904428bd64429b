/* store_home: see store_home.h. */
#include "services/provision/home/store_home.h"

#include "lib/db.h"

#include <string.h>

#define LEASE  "interval '10 seconds'"
#define ASLEEP "interval '3 seconds'" /* without a heartbeat, of which there is one a second */

/* The columns of a Provision__Home. */
#define HOME                                                                                       \
	"home.tenant_id AS tenant, home.network_id AS network, home.node, home.name, home.epoch,"  \
	" ceil(extract(epoch FROM greatest(now(), least(home.expires_at, now() + " LEASE           \
	")) - now()) * 1000)::int AS left_ms"

/*
 * A node gets a home that nobody has, whose lease is over, or whose lease ends later than any that
 * was given. One that can't be reached loses it as soon as it shows no life either. All nodes ask
 * for the rows in one order, so that they never wait for each other in a circle.
 */
static const struct db_statement hold = {
	"INSERT INTO provision.home AS home"
	" (tenant_id, network_id, node, name, epoch, expires_at)"
	" SELECT claim.tenant, claim.network, $1::uuid, $2, 1, clock_timestamp() + " LEASE
	" FROM unnest($3::uuid[], $4::uuid[]) AS claim (tenant, network)"
	" JOIN provision.network ON (network.tenant_id, network.id)"
	" = (claim.tenant, claim.network)"
	" GROUP BY claim.tenant, claim.network ORDER BY claim.tenant, claim.network"
	" ON CONFLICT (tenant_id, network_id) DO UPDATE SET node = excluded.node,"
	" name = excluded.name, expires_at = excluded.expires_at,"
	" epoch = home.epoch + (home.node <> excluded.node)::int"
	" WHERE home.node = excluded.node OR home.expires_at < clock_timestamp()"
	" OR home.expires_at > clock_timestamp() + " LEASE
	" OR (home.network_id = ANY ($5::uuid[]) AND NOT EXISTS (SELECT FROM fabric.instance"
	" WHERE id = home.node AND heartbeat_at > now() - " ASLEEP "))"
};
static const struct db_statement list_homes = {
	"SELECT " HOME " FROM provision.home"
	" JOIN unnest($1::uuid[], $2::uuid[]) AS claim (tenant, network)"
	" ON (home.tenant_id, home.network_id) = (claim.tenant, claim.network)"
	" ORDER BY home.tenant_id, home.network_id"
};

/* With nobody to give it to, the lease is over. What was handed over stays so when that is asked
 * again. */
static const struct db_statement hand_over = {
	"UPDATE provision.home SET node = coalesce(nullif(item.heir, '')::uuid, home.node),"
	" name = CASE WHEN item.heir = '' THEN home.name ELSE item.heir_name END,"
	" epoch = home.epoch + (item.heir <> '')::int,"
	" expires_at = clock_timestamp() + CASE WHEN item.heir = '' THEN interval '0'"
	" ELSE " LEASE " END"
	" FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[])"
	" AS item (tenant, network, heir, heir_name)"
	" WHERE (home.tenant_id, home.network_id) = (item.tenant, item.network)"
	" AND home.node = $1::uuid"
};

static void fill(struct call *call, const struct db_rows *rows, Provision__HomeList *list)
{
	list->n_items = db_count(rows);
	list->items = arena_alloc(call->arena, (list->n_items + 1) * sizeof(*list->items));
	for (size_t i = 0; i < list->n_items; i++) {
		list->items[i] = arena_alloc(call->arena, sizeof(*list->items[i]));
		provision__home__init(list->items[i]);
		db_message(rows, i, call->arena, &list->items[i]->base);
	}
}

static char **texts_new(struct call *call, size_t n)
{
	return arena_alloc(call->arena, (n + 1) * sizeof(char *));
}

/* Who had those that another node has now. Both lists are in one order; the later one has all that
 * are in the earlier one. */
static void note_before(struct call *call, const struct db_rows *before, Provision__HomeList *list)
{
	size_t row = 0;

	for (size_t i = 0; i < list->n_items && row < db_count(before); i++) {
		const char *node = db_text(before, row, "node");

		if (strcmp(list->items[i]->network, db_text(before, row, "network")) != 0)
			continue;
		if (strcmp(list->items[i]->node, node) != 0)
			list->items[i]->before = arena_strdup(call->arena, node);
		row++;
	}
}

err_t store_hold_homes(
	struct call *call, const Provision__HoldHomesRequest *request, Provision__HomeList *list)
{
	size_t n = request->n_claims, n_away = 0;
	char **tenants = texts_new(call, n), **networks = texts_new(call, n),
	     **away = texts_new(call, n);
	const char *tenant_array, *network_array;
	AUTO_ROWS before = NULL;
	AUTO_ROWS rows = NULL;
	err_t err;

	for (size_t i = 0; i < n; i++) {
		tenants[i] = request->claims[i]->tenant;
		networks[i] = request->claims[i]->network;
		if (request->claims[i]->unreachable)
			away[n_away++] = request->claims[i]->network;
	}
	tenant_array = db_array(call->arena, n, tenants);
	network_array = db_array(call->arena, n, networks);
	err = DB_QUERY(call, &list_homes, &before, tenant_array, network_array);
	if (err == OK && !request->look)
		err = DB_QUERY(call, &hold, NULL, request->node, request->name, tenant_array,
			network_array, db_array(call->arena, n_away, away));
	if (err == OK)
		err = DB_QUERY(call, &list_homes, &rows, tenant_array, network_array);
	if (err != OK)
		return err;
	fill(call, rows, list);
	note_before(call, before, list);
	return OK;
}

err_t store_hand_over_homes(struct call *call, const Provision__HandOverHomesRequest *request,
	Provision__HomeList *list)
{
	size_t n = request->n_items;
	char **tenants = texts_new(call, n), **networks = texts_new(call, n),
	     **heirs = texts_new(call, n), **names = texts_new(call, n);
	const char *tenant_array, *network_array;
	AUTO_ROWS rows = NULL;
	err_t err;

	for (size_t i = 0; i < n; i++) {
		tenants[i] = request->items[i]->tenant;
		networks[i] = request->items[i]->network;
		heirs[i] = request->items[i]->to;
		names[i] = request->items[i]->to_name;
	}
	tenant_array = db_array(call->arena, n, tenants);
	network_array = db_array(call->arena, n, networks);
	err = DB_QUERY(call, &hand_over, NULL, request->node, tenant_array, network_array,
		db_array(call->arena, n, heirs), db_array(call->arena, n, names));
	if (err == OK)
		err = DB_QUERY(call, &list_homes, &rows, tenant_array, network_array);
	if (err == OK)
		fill(call, rows, list);
	return err;
}
