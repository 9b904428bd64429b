/* store_provider: the SQL of identity providers; see provider.h. Runs in the thread of the call. */
#include "services/auth/provider/provider.h"

#include "lib/mem.h"
#include "services/auth/store.h"

#include <string.h>

#define LIFE "interval '10 minutes'" /* of a visit */
#define COLUMNS                                                                                    \
	"id, name, issuer, client_id, user_claim, group_claim, default_role,"                      \
	" fabric.rfc3339(created_at) AS created_at, version, role_groups, roles"

/* ---- providers ---- */

err_t store_provider_create(struct call *call, const Auth__CreateIdentityProviderRequest *request,
	const char *secret, Auth__IdentityProvider *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.identity_provider (tenant_id, name, issuer, client_id,"
		" client_secret, user_claim, group_claim, default_role, role_groups, roles)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
		" RETURNING id, fabric.rfc3339(created_at) AS created_at, version"
	};
	char **groups = arena_alloc(call->arena, (request->n_roles + 1) * sizeof(*groups));
	char **roles = arena_alloc(call->arena, (request->n_roles + 1) * sizeof(*roles));
	err_t err;

	for (size_t i = 0; i < request->n_roles; i++) {
		groups[i] = request->roles[i]->group;
		roles[i] = request->roles[i]->role;
	}
	const char *params[] = { call->tenant, request->name, request->issuer, request->client_id,
		secret, request->user_claim, request->group_claim, request->default_role,
		db_array(call->arena, request->n_roles, groups),
		db_array(call->arena, request->n_roles, roles) };

	err = db_one(
		call, &statement, &reply->base, "identity provider", ARRAY_LEN(params), params);
	if (err == ERR_ALREADY_EXISTS &&
		strcmp(db_constraint(call->db), "identity_provider_issuer") == 0)
		return call_refuse(call, err, "issuer", "there is a provider with it already");
	return store_name_taken(call, err, "an identity provider", request->name);
}

/* The mapping is two lists in the table, and one of pairs in the message. */
static err_t read_roles(
	struct call *call, const struct db_rows *rows, size_t row, Auth__IdentityProvider *provider)
{
	static const struct db_statement pairs = {
		"SELECT a.g AS \"group\", a.r AS role FROM unnest($1::text[], $2::text[])"
		" WITH ORDINALITY AS a (g, r, n) ORDER BY a.n"
	};
	AUTO_ROWS found = NULL;
	err_t err = DB_QUERY(call, &pairs, &found, db_text(rows, row, "role_groups"),
		db_text(rows, row, "roles"));

	if (err != OK)
		return err;
	provider->n_roles = db_count(found);
	provider->roles =
		arena_alloc(call->arena, (provider->n_roles + 1) * sizeof(*provider->roles));
	for (size_t i = 0; i < provider->n_roles; i++) {
		provider->roles[i] = arena_alloc(call->arena, sizeof(**provider->roles));
		auth__group_role__init(provider->roles[i]);
		db_message(found, i, call->arena, &provider->roles[i]->base);
	}
	return OK;
}

/* Of the row without its lists, whose field is not of texts. */
static err_t read_provider(
	struct call *call, const struct db_rows *rows, size_t row, Auth__IdentityProvider *provider)
{
#define TEXT(field) provider->field = arena_strdup(call->arena, db_text(rows, row, #field))
	TEXT(id);
	TEXT(name);
	TEXT(issuer);
	TEXT(client_id);
	TEXT(user_claim);
	TEXT(group_claim);
	TEXT(default_role);
	TEXT(created_at);
#undef TEXT
	provider->version = db_int(rows, row, "version");
	return read_roles(call, rows, row, provider);
}

err_t store_provider_get(
	struct call *call, const char *id, Auth__IdentityProvider *reply, const char **secret)
{
	static const struct db_statement statement = { "SELECT " COLUMNS
						       ", client_secret FROM auth.identity_provider"
						       " WHERE tenant_id = $1 AND id = $2" };
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, id);

	if (err != OK)
		return err;
	if (db_count(rows) == 0)
		return call_refuse(call, ERR_NOT_FOUND, "id", "no identity provider %s here", id);
	if (secret != NULL)
		*secret = arena_strdup(call->arena, db_text(rows, 0, "client_secret"));
	return read_provider(call, rows, 0, reply);
}

err_t store_provider_list(
	struct call *call, const Auth__ListRequest *request, Auth__IdentityProviderList *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM auth.identity_provider"
		" WHERE tenant_id = $1 AND id > $2 AND ($3 = '' OR name = $3)"
		" ORDER BY id LIMIT $4"
	};
	size_t limit = db_page_limit(request->limit);
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, store_cursor(request),
		request->name, store_limit(call, request));

	if (err != OK)
		return err;
	reply->items = arena_alloc(call->arena, (limit + 1) * sizeof(*reply->items));
	for (size_t i = 0; err == OK && i < db_count(rows) && i < limit; i++) {
		reply->items[i] = arena_alloc(call->arena, sizeof(**reply->items));
		auth__identity_provider__init(reply->items[i]);
		err = read_provider(call, rows, i, reply->items[reply->n_items++]);
	}
	if (err == OK && db_count(rows) > limit)
		reply->next_cursor = reply->items[limit - 1]->id;
	return err;
}

err_t store_provider_delete(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.identity_provider WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

/* ---- visits ---- */

err_t store_visit_create(struct call *call, const struct store_visit *visit)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.provider_visit"
		" (tenant_id, id, provider_id, digest, nonce, verifier, target, expires_at)"
		" VALUES ($1, $2, $3, decode($4, 'hex'), $5, $6, $7, now() + " LIFE ")"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, visit->id, visit->provider,
		visit->digest, visit->nonce, visit->verifier, visit->target);
}

err_t store_visit_take(struct call *call, const char *id, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.provider_visit WHERE tenant_id = $1 AND id = $2"
		" AND expires_at > now() RETURNING encode(digest, 'hex') AS digest, provider_id,"
		" nonce, verifier, target"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, id);
}

err_t store_visit_purge(struct call *call)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.provider_visit WHERE expires_at < now()"
	};

	return db_query(call, &statement, NULL, 0, NULL);
}

/* ---- identities ---- */

err_t store_identity_find(
	struct call *call, const char *issuer, const char *subject, const char **user)
{
	static const struct db_statement statement = {
		"SELECT user_id FROM auth.identity"
		" WHERE tenant_id = $1 AND issuer = $2 AND subject = $3"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, issuer, subject);

	if (err == OK)
		*user = arena_strdup(
			call->arena, db_count(rows) > 0 ? db_text(rows, 0, "user_id") : "");
	return err;
}

err_t store_identity_create(
	struct call *call, const char *issuer, const char *subject, const char *user)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.identity (tenant_id, issuer, subject, user_id)"
		" VALUES ($1, $2, $3, $4)"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, issuer, subject, user);
}

err_t store_identity_groups(
	struct call *call, const char *user, size_t n, char *const names[], bool *left)
{
	static const struct db_statement leave = {
		"DELETE FROM auth.group_member m USING auth.\"group\" g WHERE m.tenant_id = $1"
		" AND m.user_id = $2 AND g.tenant_id = $1 AND g.id = m.group_id"
		" AND g.name <> ALL ($3::text[]) RETURNING 1 AS one"
	};
	static const struct db_statement join = {
		"INSERT INTO auth.group_member (tenant_id, group_id, user_id)"
		" SELECT $1, id, $2 FROM auth.\"group\" WHERE tenant_id = $1"
		" AND name = ANY ($3::text[]) ON CONFLICT DO NOTHING"
	};
	const char *list = db_array(call->arena, n, names);
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &leave, &rows, call->tenant, user, list);

	*left = err == OK && db_count(rows) > 0;
	return err == OK ? DB_QUERY(call, &join, NULL, call->tenant, user, list) : err;
}
