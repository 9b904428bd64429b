/* store_invitation: the SQL of invitations; see invitation.h. Runs in the thread of the call. */
#include "services/auth/invitation/invitation.h"

#include "lib/mem.h"
#include "services/auth/store.h"

#define OPEN "accepted_at IS NULL AND expires_at > now()"
#define COLUMNS                                                                                    \
	"id, name, role, site, CASE WHEN accepted_at IS NOT NULL THEN 'accepted'"                  \
	" WHEN expires_at <= now() THEN 'expired' ELSE 'open' END AS state,"                       \
	" fabric.rfc3339(created_at) AS created_at, fabric.rfc3339(expires_at) AS expires_at,"     \
	" version"

err_t store_invitation_create(
	struct call *call, const struct store_invitation *invitation, Auth__Invitation *reply)
{
	static const struct db_statement clear = {
		"DELETE FROM auth.invitation WHERE tenant_id = $1 AND name = $2 AND NOT (" OPEN ")"
	};
	static const struct db_statement create = {
		"INSERT INTO auth.invitation"
		" (tenant_id, id, name, role, site, digest, expires_at)"
		" VALUES ($1, $2, $3, $4, $5, decode($6, 'hex'),"
		" now() + make_interval(secs => $7::integer)) RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, invitation->id, invitation->name, invitation->role,
		invitation->site, invitation->digest, store_number(call, invitation->life_s) };
	err_t err = DB_QUERY(call, &clear, NULL, call->tenant, invitation->name);

	if (err == OK)
		err = db_one(call, &create, &reply->base, "invitation", ARRAY_LEN(params), params);
	return store_name_taken(call, err, "an invitation for", invitation->name);
}

err_t store_invitation_get(struct call *call, const char *id, Auth__Invitation *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM auth.invitation WHERE tenant_id = $1 AND id = $2"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "invitation", ARRAY_LEN(params), params);
}

err_t store_invitation_list(
	struct call *call, const Auth__ListRequest *request, Auth__InvitationList *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM auth.invitation"
		" WHERE tenant_id = $1 AND id > $2 AND ($3 = '' OR name = $3)"
		" ORDER BY id LIMIT $4"
	};
	const char *params[] = { call->tenant, store_cursor(request), request->name,
		store_limit(call, request) };

	return db_page(call, &statement, &reply->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_invitation_delete(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.invitation WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

err_t store_invitation_find(struct call *call, const char *id, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT i.name, i.role, encode(i.digest, 'hex') AS digest, t.name AS tenant_name"
		" FROM auth.invitation i JOIN auth.tenant t ON t.id = i.tenant_id"
		" WHERE i.tenant_id = $1 AND i.id = $2 AND " OPEN " FOR UPDATE OF i"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, id);
}

err_t store_invitation_accepted(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"UPDATE auth.invitation SET accepted_at = now(), version = version + 1"
		" WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

err_t store_invitation_site(struct call *call, const char *name, const char **site)
{
	static const struct db_statement statement = {
		"SELECT name FROM auth.site WHERE tenant_id = $1 AND ($2 = '' OR name = $2)"
		" ORDER BY id LIMIT 1"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, name);

	if (err == OK)
		*site = arena_strdup(
			call->arena, db_count(rows) > 0 ? db_text(rows, 0, "name") : "");
	return err;
}

err_t store_invitation_purge(struct call *call)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.invitation WHERE expires_at < now() - interval '30 days'"
		" OR accepted_at < now() - interval '30 days'"
	};

	return db_query(call, &statement, NULL, 0, NULL);
}
