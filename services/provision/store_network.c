/* store_network: the SQL of networks; see store.h. Runs in the thread of the call. */
#include "services/provision/store.h"

#include <string.h>

#define COLUMNS                                                                                    \
	"id, name, ipv4, ipv6, mtu, fabric.rfc3339(created_at) AS created_at, version,"            \
	" no_broadcast, no_multicast, storm_frames, storm_bytes"

/* Says which rule of the table refused a new network. */
static err_t refuse_network(struct call *call, err_t err, const Provision__Network *network)
{
	const char *constraint = db_constraint(call->db);

	if (strcmp(constraint, "network_name") == 0)
		return call_refuse(call, ERR_ALREADY_EXISTS, "name",
			"there is a network %s already", network->name);
	if (strcmp(constraint, "network_ipv4") == 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "ipv4",
			"%s overlaps another network of this tenant", network->ipv4);
	if (strcmp(constraint, "network_ipv6") == 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "ipv6",
			"%s overlaps another network of this tenant", network->ipv6);
	return err;
}

err_t store_network_create(
	struct call *call, const Provision__Network *network, Provision__Network *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO provision.network (tenant_id, name, ipv4, ipv6, mtu)"
		" VALUES ($1, $2, nullif($3, '')::cidr, $4, $5) RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, network->name, network->ipv4, network->ipv6,
		store_number(call, network->mtu) };
	err_t err;

	err = db_one(call, &statement, &reply->base, "network", ARRAY_LEN(params), params);
	return err == OK ? OK : refuse_network(call, err, network);
}

err_t store_network_get(struct call *call, const char *id, Provision__Network *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM provision.network WHERE tenant_id = $1 AND id = $2"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "network", ARRAY_LEN(params), params);
}

#define PAGE(filter)                                                                               \
	"SELECT " COLUMNS " FROM provision.network"                                                \
	" WHERE tenant_id = $1 AND id > $2" filter " ORDER BY id LIMIT $3"

static const struct db_statement pages[] = { { PAGE("") }, { PAGE(" AND name = $4") } };

err_t store_network_list(
	struct call *call, const Provision__ListRequest *request, Provision__NetworkList *reply)
{
	const char *params[] = { call->tenant, store_cursor(request->cursor),
		store_limit(call, request->limit), store_filter(request->name) };

	return store_page(call, pages, &reply->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_network_lock(struct call *call, const char *id, Provision__Network *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS
		" FROM provision.network WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "network", ARRAY_LEN(params), params);
}

err_t store_network_update(
	struct call *call, const Provision__Network *network, Provision__Network *reply)
{
	static const struct db_statement statement = {
		"UPDATE provision.network SET mtu = $3, no_broadcast = $4, no_multicast = $5,"
		" storm_frames = $6, storm_bytes = $7, version = version + 1"
		" WHERE tenant_id = $1 AND id = $2 RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, network->id, store_number(call, network->mtu),
		store_bool(network->no_broadcast), store_bool(network->no_multicast),
		store_number(call, network->storm_frames),
		store_number(call, network->storm_bytes) };

	return db_one(call, &statement, &reply->base, "network", ARRAY_LEN(params), params);
}

err_t store_network_count_members(struct call *call, const char *id, long long *n)
{
	static const struct db_statement statement = { "SELECT count(*) AS n FROM provision.member "
						       "WHERE tenant_id = $1 AND network_id = $2" };
	AUTO_ROWS rows = NULL;
	err_t err;

	if ((err = DB_QUERY(call, &statement, &rows, call->tenant, id)) != OK)
		return err;
	*n = db_int(rows, 0, "n");
	return OK;
}

err_t store_network_delete(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"DELETE FROM provision.network WHERE tenant_id = $1 AND id = $2"
	};

	err_t err = DB_QUERY(call, &statement, NULL, call->tenant, id);

	if (err != OK && strcmp(db_constraint(call->db), "profile_network") == 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "id",
			"the network has VPN profiles: remove them first");
	if (err != OK && strcmp(db_constraint(call->db), "vpn_server_network") == 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "id",
			"the network has VPN servers: delete them first");
	return err;
}
