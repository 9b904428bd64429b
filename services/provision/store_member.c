/*
 * store_member: the SQL of members and their host numbers; see store.h. Runs in the thread of the
 * call.
 *
 * Locks are taken in the order device, network, so two calls that touch both never wait for each
 * other in a circle.
 */
#include "services/provision/store.h"

#include <string.h>

#define POLICY "m.mac_limit, m.bridge, m.isolated, m.dhcp_server, m.router, m.address_guard"

/* Of a member m with its network n and device d. */
#define COLUMNS                                                                                    \
	"m.id, m.network_id AS network, m.device_id AS device, d.name, m.mac,"                     \
	" n.ipv4 + m.host AS ipv4, n.ipv6 + m.host AS ipv6,"                                       \
	" fabric.rfc3339(m.created_at) AS created_at, m.version, " POLICY

#define EVENT_COLUMNS                                                                              \
	"m.id AS member, m.network_id AS network, n.name AS network_name,"                         \
	" m.device_id AS device, d.name AS device_name, host(n.ipv4 + m.host) AS ipv4,"            \
	" host(n.ipv6 + m.host) AS ipv6, m.policy_version"
#define REMOVED_BY_STATE ", d.state <> 'approved' AS removed"

#define WITH_NETWORK_AND_DEVICE                                                                    \
	" JOIN provision.network n ON n.tenant_id = m.tenant_id AND n.id = m.network_id"           \
	" JOIN provision.device d ON d.tenant_id = m.tenant_id AND d.id = m.device_id"

/* ---- host numbers ---- */

/* Gives the first row's host, or NULL if the statement found none. */
static err_t take_host(struct call *call, const struct db_statement *statement, const char *network,
	const char **host)
{
	AUTO_ROWS rows = NULL;
	err_t err;

	if ((err = DB_QUERY(call, statement, &rows, call->tenant, network)) != OK)
		return err;
	*host = db_count(rows) > 0 ? arena_strdup(call->arena, db_text(rows, 0, "host")) : NULL;
	return OK;
}

/*
 * Takes the next number that nobody ever had, else the one that has been free for longest. Never
 * looks at the members, so it costs the same in an empty and in a full network. Either statement
 * waits for another transaction that is about to take the same number.
 */
err_t store_host_take(struct call *call, const char *network, const char **host)
{
	static const struct db_statement next = {
		"UPDATE provision.network SET next_host = next_host + 1"
		" WHERE tenant_id = $1 AND id = $2 AND next_host <= last_host"
		" RETURNING next_host - 1 AS host"
	};
	static const struct db_statement freed = {
		"DELETE FROM provision.free_host WHERE tenant_id = $1 AND network_id = $2 AND host "
		"="
		" (SELECT host FROM provision.free_host WHERE tenant_id = $1 AND network_id = $2"
		" ORDER BY freed_at, host LIMIT 1 FOR UPDATE) RETURNING host"
	};
	err_t err;

	if ((err = take_host(call, &next, network, host)) != OK || *host != NULL)
		return err;
	if ((err = take_host(call, &freed, network, host)) != OK || *host != NULL)
		return err;
	return call_refuse(
		call, ERR_RESOURCE_EXHAUSTED, "network", "the network has no free address left");
}

/* ---- members ---- */

static err_t refuse_member(struct call *call, err_t err)
{
	const char *constraint = db_constraint(call->db);

	if (strcmp(constraint, "member_device") == 0)
		return call_refuse(call, ERR_ALREADY_EXISTS, "device",
			"the device is a member of this network already");
	return strcmp(constraint, "member_mac") == 0 ? ERR_ABORTED : err;
}

err_t store_member_create(struct call *call, const char *network, const char *device,
	const char *mac, Provision__Member *reply)
{
	static const struct db_statement statement = {
		"WITH m AS (INSERT INTO provision.member (tenant_id, network_id, device_id, mac, "
		"host)"
		" VALUES ($1, $2, $3, $4, $5) RETURNING *)"
		" SELECT " COLUMNS " FROM m" WITH_NETWORK_AND_DEVICE
	};
	const char *params[] = { call->tenant, network, device, mac, NULL };
	err_t err;

	if ((err = store_host_take(call, network, &params[4])) != OK)
		return err;
	err = db_one(call, &statement, &reply->base, "member", ARRAY_LEN(params), params);
	return err == OK ? OK : refuse_member(call, err);
}

err_t store_member_get(struct call *call, const char *id, Provision__Member *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM provision.member m" WITH_NETWORK_AND_DEVICE
		" WHERE m.tenant_id = $1 AND m.id = $2"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "member", ARRAY_LEN(params), params);
}

/*
 * A page of members, with one statement for each filter: see store_page. The page is cut before the
 * joins, since PostgreSQL takes the rows that row-level security leaves for very few.
 */
#define PAGE(filter)                                                                               \
	"SELECT " COLUMNS " FROM (SELECT * FROM provision.member"                                  \
	" WHERE tenant_id = $1 AND id > $2" filter                                                 \
	" ORDER BY id LIMIT $3) m" WITH_NETWORK_AND_DEVICE " ORDER BY m.id"

static const struct db_statement pages[] = {
	{ PAGE("") },
	{ PAGE(" AND network_id = $4") },
	{ PAGE(" AND ($4::uuid IS NULL OR network_id = $4) AND device_id = $5") },
	{ PAGE(" AND ($4::uuid IS NULL OR network_id = $4) AND ($5::uuid IS NULL OR device_id = $5)"
	       " AND device_id = (SELECT id FROM provision.device"
	       " WHERE tenant_id = $1 AND name = $6 AND state <> 'retired')") },
};

err_t store_member_list(
	struct call *call, const Provision__ListRequest *request, Provision__MemberList *reply)
{
	const char *params[] = { call->tenant, store_cursor(request->cursor),
		store_limit(call, request->limit), store_filter(request->network),
		store_filter(request->device), store_filter(request->name) };

	return store_page(call, pages, &reply->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_member_lock(struct call *call, const char *id, Provision__Member *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM provision.member m" WITH_NETWORK_AND_DEVICE
		" WHERE m.tenant_id = $1 AND m.id = $2 FOR UPDATE OF m"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "member", ARRAY_LEN(params), params);
}

err_t store_member_update(
	struct call *call, const Provision__Member *member, Provision__Member *reply)
{
	static const struct db_statement statement = {
		"WITH m AS (UPDATE provision.member SET mac = nullif($3, '')::macaddr,"
		" mac_limit = $4, bridge = $5, isolated = $6, dhcp_server = $7, router = $8,"
		" address_guard = $9, version = version + 1, policy_version = policy_version + 1"
		" WHERE tenant_id = $1 AND id = $2 RETURNING *)"
		" SELECT " COLUMNS " FROM m" WITH_NETWORK_AND_DEVICE
	};
	const char *params[] = { call->tenant, member->id, member->mac,
		store_number(call, member->mac_limit), store_bool(member->bridge),
		store_bool(member->isolated), store_bool(member->dhcp_server),
		store_bool(member->router), store_bool(member->address_guard) };
	err_t err;

	err = db_one(call, &statement, &reply->base, "member", ARRAY_LEN(params), params);
	if (err == ERR_ALREADY_EXISTS)
		return call_refuse(call, err, "mac",
			"another member of the network has the address %s", member->mac);
	return err;
}

/* ---- members as events ---- */

err_t store_member_event(struct call *call, const char *id, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT " EVENT_COLUMNS REMOVED_BY_STATE
		" FROM provision.member m" WITH_NETWORK_AND_DEVICE
		" WHERE m.tenant_id = $1 AND m.id = $2"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, id);
}

err_t store_member_touch(struct call *call, const char *device, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"WITH m AS (UPDATE provision.member SET version = version + 1"
		" WHERE tenant_id = $1 AND device_id = $2 RETURNING *)"
		" SELECT " EVENT_COLUMNS REMOVED_BY_STATE " FROM m" WITH_NETWORK_AND_DEVICE
	};

	return DB_QUERY(call, &statement, rows, call->tenant, device);
}

#define DELETE_MEMBERS(column)                                                                     \
	"WITH m AS (DELETE FROM provision.member"                                                  \
	" WHERE tenant_id = $1 AND " column " = $2 RETURNING *),"                                  \
	" freed AS (INSERT INTO provision.free_host (tenant_id, network_id, host)"                 \
	" SELECT tenant_id, network_id, host FROM m)"                                              \
	" SELECT " EVENT_COLUMNS ", true AS removed FROM m" WITH_NETWORK_AND_DEVICE

err_t store_member_delete(struct call *call, const char *id, struct db_rows **rows)
{
	static const struct db_statement statement = { DELETE_MEMBERS("id") };

	return DB_QUERY(call, &statement, rows, call->tenant, id);
}

err_t store_member_delete_all(struct call *call, const char *device, struct db_rows **rows)
{
	static const struct db_statement statement = { DELETE_MEMBERS("device_id") };

	return DB_QUERY(call, &statement, rows, call->tenant, device);
}

/* ---- attaching ---- */

err_t store_member_attachments(
	struct call *call, const char *device, const char *network, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT m.network_id AS network, n.name AS network_name, m.id AS member, d.name, "
		"m.mac,"
		" n.ipv4 + m.host AS ipv4, n.ipv6 + m.host AS ipv6, n.mtu, " POLICY
		", m.policy_version, n.version AS network_version, n.no_broadcast, n.no_multicast,"
		" n.storm_frames, n.storm_bytes"
		" FROM provision.member m" WITH_NETWORK_AND_DEVICE
		" WHERE m.tenant_id = $1 AND m.device_id = $2"
		" AND ($3::text IS NULL OR n.id::text = $3 OR n.name = $3) LIMIT 2"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, device, store_filter(network));
}
