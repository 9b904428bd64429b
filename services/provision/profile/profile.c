/* profile: the rpcs of profiles, and of what holds for all apps of a tenant. */
#include "services/provision/profile/profiles.h"

#include "lib/check.h"
#include "services/provision/audit/audit.h"
#include "services/provision/profile/access.h"
#include "services/provision/profile/app_certificate.h"
#include "services/provision/profile/server_key.h"
#include "services/provision/profile/store_profile.h"
#include "services/provision/profile/words.h"
#include "services/provision/request.h"
#include "services/provision/static_key.h"
#include "services/provision/vpn/store_vpn.h"
#include "services/provision/wireguard/peer.h"

#include <string.h>

#define NAME_MAX_LEN	   128
#define GROUPS_MAX	   32
#define DOMAINS_MAX	   8
#define LIFETIME_MIN	   60
#define LIFETIME_MAX	   (10 * 366 * 24 * 60 * 60)
#define CONFIGURATIONS_MAX 1000

/* ---- checks ---- */

static err_t check_groups(struct call *call, const Provision__ProfileRequest *request)
{
	err_t err = OK;

	if (request->n_groups > GROUPS_MAX)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "groups", "expected at most %d", GROUPS_MAX);
	for (size_t i = 0; err == OK && i < request->n_groups; i++)
		err = check_text(call, "groups", request->groups[i], 1, NAME_MAX_LEN);
	return err;
}

static err_t check_domains(struct call *call, const Provision__ProfileRequest *request)
{
	err_t err = OK;

	if (request->n_search_domains > DOMAINS_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "search_domains",
			"expected at most %d", DOMAINS_MAX);
	for (size_t i = 0; err == OK && i < request->n_search_domains; i++)
		err = words_check_host(call, "search_domains", request->search_domains[i]);
	return err;
}

static err_t check_lifetime(struct call *call, const Provision__ProfileRequest *request)
{
	if (request->lifetime_s == 0 ||
		(request->lifetime_s >= LIFETIME_MIN && request->lifetime_s <= LIFETIME_MAX))
		return OK;
	return call_refuse(call, ERR_INVALID_ARGUMENT, "lifetime_s",
		"expected %d to %d seconds, or 0", LIFETIME_MIN, LIFETIME_MAX);
}

static bool has_protocol(const Provision__ProfileRequest *request, const char *protocol)
{
	for (size_t i = 0; i < request->n_protocols; i++)
		if (strcmp(request->protocols[i], protocol) == 0)
			return true;
	return false;
}

static err_t check_ports(struct call *call, const Provision__ProfileRequest *request)
{
	if (request->n_protocols == 0 || has_protocol(request, PROFILE_OPENVPN))
		return words_check_ports(call, request->n_ports, request->ports);
	if (request->n_ports == 0)
		return OK;
	return call_refuse(call, ERR_INVALID_ARGUMENT, "ports",
		"expected none: they are OpenVPN's, which is not among the protocols");
}

/* WireGuard knows a key, and nothing else of who comes. */
static err_t check_protocols(struct call *call, const Provision__ProfileRequest *request)
{
	err_t err = words_check_protocols(call, request->n_protocols, request->protocols);

	if (err != OK || (err = check_ports(call, request)) != OK)
		return err;
	if (request->two_factor && has_protocol(request, PROFILE_WIREGUARD))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "two_factor",
			"expected false: WireGuard asks for no code");
	return OK;
}

static err_t check_request(struct call *call, const Provision__ProfileRequest *request)
{
	static const char *const modes[] = { "tun", "tap", NULL };
	err_t err;

	if ((err = check_text(call, "display_name", request->display_name, 1, NAME_MAX_LEN)) !=
			OK ||
		(err = words_check_translations(call, request->n_translations,
			 request->translations, NAME_MAX_LEN)) != OK ||
		(err = check_groups(call, request)) != OK ||
		(err = words_check_host(call, "host", request->host)) != OK ||
		(err = check_protocols(call, request)) != OK ||
		(err = check_word(call, "mode", request->mode, modes)) != OK ||
		(err = words_check_routes(call, request->n_routes, request->routes)) != OK ||
		(err = words_check_dns(call, request->n_dns, request->dns)) != OK ||
		(err = check_domains(call, request)) != OK ||
		(err = check_lifetime(call, request)) != OK)
		return err;
	return static_key_check(call, "tls_crypt", request->tls_crypt);
}

static err_t check_new(struct call *call, const Provision__ProfileRequest *request)
{
	if (!words_is_profile_id(request->profile_id))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "profile_id",
			"expected 1 to %d of A-Z, a-z, 0-9, '-' and '.'", WORDS_PROFILE_ID_MAX);
	return check_uuid(call, "network", request->network);
}

static err_t check_same(struct call *call, const char *field, const char *wanted, const char *text)
{
	if (*wanted == '\0' || strcmp(wanted, text) == 0)
		return OK;
	return call_refuse(call, ERR_FAILED_PRECONDITION, field, "a profile keeps its %s: it is %s",
		field, text);
}

/* ---- the rpcs ---- */

err_t create_profile(
	struct call *call, const Provision__ProfileRequest *request, Provision__Profile *reply)
{
	const char *key = request->tls_crypt;
	err_t err;

	if ((err = check_new(call, request)) != OK || (err = check_request(call, request)) != OK)
		return err;
	if (*key == '\0')
		key = static_key_create(call->arena);
	if ((err = store_profile_create(
		     call, request, server_key_seal(call, request->profile_id, key), reply)) != OK)
		return err;
	return AUDIT(call, "profile.created", .subject = reply->id, .after = reply->profile_id);
}

err_t get_profile(struct call *call, const Provision__Ref *request, Provision__Profile *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err == OK ? store_profile_get(call, request->id, reply) : err;
}

err_t list_profiles(struct call *call, const Provision__ListProfilesRequest *request,
	Provision__ProfileList *reply)
{
	err_t err;

	if (*request->cursor != '\0' && (err = check_uuid(call, "cursor", request->cursor)) != OK)
		return err;
	if (*request->profile_id != '\0' && !words_is_profile_id(request->profile_id))
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "profile_id", "expected the name of a profile");
	return store_profile_list(call, request, reply);
}

static err_t lock_version(
	struct call *call, const char *id, int64_t version, Provision__Profile *profile)
{
	err_t err;

	if ((err = check_uuid(call, "id", id)) != OK ||
		(err = store_profile_lock(call, id, profile)) != OK)
		return err;
	return request_check_version(call, version, profile->version);
}

err_t replace_profile(
	struct call *call, const Provision__ProfileRequest *request, Provision__Profile *reply)
{
	Provision__Profile before = PROVISION__PROFILE__INIT;
	const char *key = NULL;
	err_t err;

	if ((err = check_request(call, request)) != OK ||
		(err = lock_version(call, request->id, request->version, &before)) != OK ||
		(err = check_same(call, "profile_id", request->profile_id, before.profile_id)) !=
			OK ||
		(err = check_same(call, "network", request->network, before.network)) != OK)
		return err;
	if (*request->tls_crypt != '\0')
		key = server_key_seal(call, before.profile_id, request->tls_crypt);
	if ((err = store_profile_replace(call, request, key, reply)) != OK ||
		(err = store_vpn_connections_doubt(call, "")) != OK ||
		(err = peer_profile_changed(call, reply->profile_id)) != OK)
		return err;
	return AUDIT(call, "profile.changed", .subject = reply->id, .after = reply->profile_id);
}

err_t delete_profile(struct call *call, const Provision__Ref *request, Provision__Empty *reply)
{
	Provision__Profile profile = PROVISION__PROFILE__INIT;
	err_t err;

	(void)reply;
	if ((err = lock_version(call, request->id, request->version, &profile)) != OK ||
		(err = store_app_end_profile(
			 call, profile.profile_id, "the profile was deleted")) != OK ||
		(err = peer_end_profile(call, profile.profile_id)) != OK ||
		(err = store_profile_delete(call, request->id)) != OK ||
		(err = store_vpn_connections_doubt(call, "")) != OK)
		return err;
	return AUDIT(call, "profile.deleted", .subject = profile.id, .before = profile.profile_id);
}

err_t get_profile_server(
	struct call *call, const Provision__Ref *request, Provision__ProfileServer *reply)
{
	const char *key;
	err_t err;

	reply->profile = arena_alloc(call->arena, sizeof(*reply->profile));
	provision__profile__init(reply->profile);
	if ((err = get_profile(call, request, reply->profile)) != OK ||
		(err = server_key_open(call, reply->profile->profile_id, &key)) != OK)
		return err;
	reply->tls_crypt = (char *)(uintptr_t)key;
	return OK;
}

/* ---- settings ---- */

err_t get_app_settings(
	struct call *call, const Provision__Empty *request, Provision__AppSettings *reply)
{
	(void)request;
	return store_app_settings_get(call, reply);
}

err_t update_app_settings(struct call *call, const Provision__UpdateAppSettingsRequest *request,
	Provision__AppSettings *reply)
{
	Provision__AppSettings settings = PROVISION__APP_SETTINGS__INIT;
	err_t err;

	if ((err = store_app_settings_get(call, &settings)) != OK ||
		(err = request_check_version(call, request->version, settings.version)) != OK)
		return err;
	if (request->set_max_configurations_case != 0)
		settings.max_configurations = request->max_configurations;
	if (request->set_admin_api_case != 0)
		settings.admin_api = request->admin_api;
	if (settings.max_configurations > CONFIGURATIONS_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "max_configurations",
			"expected 0 to %d", CONFIGURATIONS_MAX);
	return store_app_settings_set(call, &settings, reply);
}
