/* store_tunnel: the SQL of tunnel servers. Runs in the thread and the transaction of the call. */
#include "services/rendezvous/store_tunnel.h"

#include "lib/db.h"

/* Nodes announce their servers every 30 s. */
#define SERVER_AGE "interval '100 seconds'"
#define NODE_AGE   "interval '10 seconds'"

static const struct db_statement register_server = {
	"WITH before AS (SELECT node, connection FROM rendezvous.tunnel_server"
	" WHERE tenant_id = $1 AND server = $2 AND rendezvous.alive(node, announced_at, " NODE_AGE
	")) "
	"INSERT INTO rendezvous.tunnel_server AS known (tenant_id, server, name, node, connection)"
	" VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, server) DO UPDATE SET"
	" name = excluded.name, node = excluded.node, connection = excluded.connection,"
	" announced_at = now()"
	" WHERE (known.node = excluded.node AND known.connection = excluded.connection)"
	" OR $6::boolean OR NOT rendezvous.alive(known.node, known.announced_at, " NODE_AGE
	") OR known.announced_at < now() "
	"- " SERVER_AGE " RETURNING coalesce("
	"(SELECT connection FROM before WHERE node <> known.node), '') AS replaced"
};

err_t store_register_server(struct call *call, const Rendezvous__TunnelServer *server,
	bool *registered, const char **replaced)
{
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &register_server, &rows, call->tenant, server->server,
		server->name, server->node, server->connection, server->replace ? "true" : "false");

	if (err != OK)
		return err;
	*registered = db_count(rows) > 0;
	*replaced = *registered ? arena_strdup(call->arena, db_text(rows, 0, "replaced")) : "";
	return OK;
}

static const struct db_statement release_server = {
	"DELETE FROM rendezvous.tunnel_server WHERE tenant_id = $1 AND server = $2"
	" AND connection = $3"
};

err_t store_release_server(struct call *call, const char *server, const char *connection)
{
	return DB_QUERY(call, &release_server, NULL, call->tenant, server, connection);
}

static const struct db_statement find_server = {
	"SELECT server, name, node, connection FROM rendezvous.tunnel_server"
	" WHERE tenant_id = $1 AND server = $2"
	" AND rendezvous.alive(node, announced_at, " NODE_AGE ")"
};

err_t store_find_server(struct call *call, const char *id, Rendezvous__TunnelServer *server)
{
	return db_one(call, &find_server, &server->base, "tunnel server", 2,
		(const char *const[]){ call->tenant, id });
}

static const struct db_statement forget_servers = {
	"DELETE FROM rendezvous.tunnel_server WHERE announced_at < now() - " SERVER_AGE
	" AND NOT rendezvous.alive(node, announced_at, " NODE_AGE ")"
};

err_t store_forget_servers(struct call *call)
{
	return db_query(call, &forget_servers, NULL, 0, NULL);
}
