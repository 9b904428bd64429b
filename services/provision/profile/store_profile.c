/* store_profile: see store_profile.h. Runs in the thread of the call. */
#include "services/provision/profile/store_profile.h"

#include <string.h>

#define COLUMNS                                                                                    \
	"id, profile_id, network_id AS network, display_name, translations, groups, host, ports,"  \
	" mode, default_gateway, routes, dns, search_domains, two_factor, lifetime_s,"             \
	" protocols, fabric.rfc3339(created_at) AS created_at, version"

/* Says which rule of the table refused it. */
static err_t refuse(struct call *call, err_t err, const Provision__ProfileRequest *profile)
{
	const char *constraint = db_constraint(call->db);

	if (strcmp(constraint, "profile_name") == 0)
		return call_refuse(call, ERR_ALREADY_EXISTS, "profile_id",
			"there is a profile %s already", profile->profile_id);
	if (strcmp(constraint, "profile_network") == 0)
		return call_refuse(
			call, ERR_NOT_FOUND, "network", "there is no network %s", profile->network);
	return err;
}

#define LIST(field) db_array(call->arena, profile->n_##field, profile->field)
#define SETTINGS                                                                                   \
	profile->display_name, LIST(translations), LIST(groups), profile->host, LIST(ports),       \
		profile->mode, store_bool(profile->default_gateway), LIST(routes), LIST(dns),      \
		LIST(search_domains), store_bool(profile->two_factor),                             \
		store_number(call, profile->lifetime_s), tls_crypt, LIST(protocols)

err_t store_profile_create(struct call *call, const Provision__ProfileRequest *profile,
	const char *tls_crypt, Provision__Profile *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO provision.profile (tenant_id, profile_id, network_id, display_name,"
		" translations, groups, host, ports, mode, default_gateway, routes, dns,"
		" search_domains, two_factor, lifetime_s, tls_crypt, protocols)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,"
		" coalesce(nullif($17::text[], '{}'), '{openvpn}'))"
		" RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, profile->profile_id, profile->network, SETTINGS };
	err_t err = db_one(call, &statement, &reply->base, "profile", ARRAY_LEN(params), params);

	return err == OK ? OK : refuse(call, err, profile);
}

err_t store_profile_replace(struct call *call, const Provision__ProfileRequest *profile,
	const char *tls_crypt, Provision__Profile *reply)
{
	static const struct db_statement statement = {
		"UPDATE provision.profile SET display_name = $3, translations = $4, groups = $5,"
		" host = $6, ports = $7, mode = $8, default_gateway = $9, routes = $10, dns = $11,"
		" search_domains = $12, two_factor = $13, lifetime_s = $14,"
		" tls_crypt = coalesce($15, tls_crypt), "
		" protocols = coalesce(nullif($16::text[], '{}'), '{openvpn}'), version = version "
		"+ 1"
		" WHERE tenant_id = $1 AND id = $2 RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, profile->id, SETTINGS };

	return db_one(call, &statement, &reply->base, "profile", ARRAY_LEN(params), params);
}

err_t store_profile_get(struct call *call, const char *id, Provision__Profile *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM provision.profile WHERE tenant_id = $1 AND id = $2"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "profile", ARRAY_LEN(params), params);
}

err_t store_profile_lock(struct call *call, const char *id, Provision__Profile *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS
		" FROM provision.profile WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "profile", ARRAY_LEN(params), params);
}

#define PAGE(filter)                                                                               \
	"SELECT " COLUMNS " FROM provision.profile"                                                \
	" WHERE tenant_id = $1 AND id > $2" filter " ORDER BY id LIMIT $3"

static const struct db_statement pages[] = { { PAGE("") }, { PAGE(" AND profile_id = $4") } };

err_t store_profile_list(struct call *call, const Provision__ListProfilesRequest *request,
	Provision__ProfileList *reply)
{
	const char *params[] = { call->tenant, store_cursor(request->cursor),
		store_limit(call, request->limit), store_filter(request->profile_id) };

	return store_page(call, pages, &reply->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_profile_delete(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"DELETE FROM provision.profile WHERE tenant_id = $1 AND id = $2"
	};

	err_t err = DB_QUERY(call, &statement, NULL, call->tenant, id);

	if (err != OK && strcmp(db_constraint(call->db), "vpn_server_profile") == 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "id",
			"a VPN server serves the profile: delete that first");
	return err;
}

err_t store_profile_tls_crypt(struct call *call, const char *profile_id, const char **sealed)
{
	static const struct db_statement statement = {
		"SELECT tls_crypt FROM provision.profile WHERE tenant_id = $1 AND profile_id = $2"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, profile_id);

	if (err == OK)
		*sealed = db_count(rows) > 0
				  ? arena_strdup(call->arena, db_text(rows, 0, "tls_crypt"))
				  : "";
	return err;
}

/* ---- settings ---- */

err_t store_app_settings_get(struct call *call, Provision__AppSettings *reply)
{
	static const struct db_statement statement = {
		"SELECT coalesce(max_configurations, 3) AS max_configurations,"
		" coalesce(admin_api, false) AS admin_api, coalesce(version, 0) AS version"
		" FROM (VALUES ($1::uuid)) AS t (id)"
		" LEFT JOIN provision.app_settings ON tenant_id = t.id"
	};
	const char *params[] = { call->tenant };

	return db_one(call, &statement, &reply->base, "settings", ARRAY_LEN(params), params);
}

err_t store_app_settings_set(
	struct call *call, const Provision__AppSettings *settings, Provision__AppSettings *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO provision.app_settings AS s (tenant_id, max_configurations,"
		" admin_api) VALUES ($1, $2, $3) ON CONFLICT (tenant_id) DO UPDATE"
		" SET max_configurations = excluded.max_configurations,"
		" admin_api = excluded.admin_api, version = s.version + 1"
		" RETURNING max_configurations, admin_api, version"
	};
	const char *params[] = { call->tenant, store_number(call, settings->max_configurations),
		store_bool(settings->admin_api) };

	return db_one(call, &statement, &reply->base, "settings", ARRAY_LEN(params), params);
}
