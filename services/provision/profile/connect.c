/* connect: what apps of API 3 connect with: a certificate for OpenVPN, or a peer of WireGuard. */
#include "services/provision/profile/profiles.h"

#include "lib/check.h"
#include "services/provision/profile/access.h"
#include "services/provision/profile/app_certificate.h"
#include "services/provision/profile/client_config.h"
#include "services/provision/profile/store_profile.h"
#include "services/provision/wireguard/peer.h"
#include "services/provision/wireguard/store_peer.h"

#include <string.h>

#define PROTOCOLS_MAX 2
#define MANAGED_MAX   20 /* configurations of a user that a program fetches */
#define ENDED	      "the app connects anew or has disconnected"

/* What app and profile have in common, the first choice first. */
struct choice {
	const char *protocols[PROTOCOLS_MAX];
	size_t n;
};

static bool takes(const Provision__ConnectRequest *request, const char *protocol)
{
	if (strcmp(protocol, PROFILE_WIREGUARD) == 0 && *request->public_key == '\0')
		return false;
	for (size_t i = 0; i < request->n_protocols; i++)
		if (strcmp(request->protocols[i], protocol) == 0)
			return true;
	return false;
}

static bool has_tcp(const Provision__Profile *profile)
{
	for (size_t i = 0; i < profile->n_ports; i++)
		if (strncmp(profile->ports[i], "tcp/", 4) == 0)
			return true;
	return false;
}

/* WireGuard is UDP: who prefers TCP gets OpenVPN first, if that has it. */
static err_t choose(struct call *call, const Provision__ConnectRequest *request,
	const Provision__Profile *profile, struct choice *choice)
{
	*choice = (struct choice){ .n = 0 };
	for (size_t i = 0; i < profile->n_protocols && choice->n < PROTOCOLS_MAX; i++)
		if (takes(request, profile->protocols[i]))
			choice->protocols[choice->n++] = profile->protocols[i];
	if (choice->n == 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "protocols",
			"no common VPN protocol support between client and server profile");
	if (choice->n > 1 && request->prefer_tcp && has_tcp(profile)) {
		choice->protocols[0] = PROFILE_OPENVPN;
		choice->protocols[1] = PROFILE_WIREGUARD;
	}
	return OK;
}

static err_t end_connected(struct call *call, const char *authorization)
{
	err_t err = store_app_end_authorization(call, authorization, true, ENDED);

	return err == OK ? peer_end_authorization(call, authorization, ENDED) : err;
}

/* Certificates and peers count as one. */
static err_t end_oldest(struct call *call, const char *user, unsigned keep)
{
	const char *last;
	err_t err = store_app_last_to_end(call, user, keep, &last);

	if (err != OK || *last == '\0')
		return err;
	err = store_app_end_oldest(call, user, last, "the user has connected with newer ones");
	return err == OK ? peer_end_oldest(call, user, last) : err;
}

/* Makes room: one configuration an authorization, and so many a user. */
static err_t end_others(struct call *call, const Provision__App *app)
{
	Provision__AppSettings settings = PROVISION__APP_SETTINGS__INIT;
	err_t err;

	if ((err = store_app_settings_get(call, &settings)) != OK)
		return err;
	if (*app->managed != '\0')
		settings.max_configurations = MANAGED_MAX;
	if (settings.max_configurations == 0)
		return call_refuse(call, ERR_PERMISSION_DENIED, "max_configurations",
			"no API configuration downloads allowed");
	if ((err = store_app_lock(call, app->user)) != OK ||
		(err = end_connected(call, app->authorization)) != OK)
		return err;
	return end_oldest(call, app->user, settings.max_configurations - 1);
}

static err_t connect_openvpn(struct call *call, const Provision__ConnectRequest *request,
	const Provision__Profile *profile, Provision__AppConfig *reply)
{
	Provision__Certificate certificate = PROVISION__CERTIFICATE__INIT;
	struct client_config config = { .profile = profile,
		.remotes = CLIENT_REMOTES_RANDOM,
		.prefer_tcp = request->prefer_tcp,
		.modern = true };
	struct app_certificate wanted = { .app = request->app,
		.profile_id = profile->profile_id,
		.label = *request->app->managed != '\0' ? request->app->managed
							: profile->profile_id,
		.csr = request->csr,
		.lifetime_s = profile->lifetime_s };
	err_t err;

	if ((err = app_certificate_issue(call, &wanted, &certificate, &reply->expires_at)) != OK ||
		(err = client_config_fill(call, &config)) != OK)
		return err;
	client_config_set_keypair(call->arena, &certificate, &config);
	reply->config = client_config_write(call->arena, &config);
	return OK;
}

static err_t connect_by(struct call *call, const char *protocol,
	const Provision__ConnectRequest *request, const Provision__Profile *profile,
	Provision__AppConfig *reply)
{
	struct peer_wanted wanted = {
		.app = request->app, .profile = profile, .public_key = request->public_key
	};

	reply->protocol = (char *)(uintptr_t)protocol;
	reply->display_name = profile->display_name;
	if (strcmp(protocol, PROFILE_WIREGUARD) == 0)
		return peer_add(call, &wanted, reply);
	return connect_openvpn(call, request, profile, reply);
}

/* It can't be had now: neither is it the app's fault, nor has anything failed. */
static bool is_short(const struct call *call, err_t err)
{
	return err == ERR_RESOURCE_EXHAUSTED ||
	       (err == ERR_FAILED_PRECONDITION && strcmp(call->fault.field, "server") == 0);
}

err_t connect_app(
	struct call *call, const Provision__ConnectRequest *request, Provision__AppConfig *reply)
{
	const Provision__Profile *profile;
	struct choice choice;
	err_t err;

	if ((err = check_text(call, "display_name", request->app->managed, 0,
		     PROFILES_DISPLAY_NAME_MAX)) != OK ||
		(err = access_find(call, request->app->user, request->profile_id, &profile)) !=
			OK ||
		(err = choose(call, request, profile, &choice)) != OK ||
		(err = end_others(call, request->app)) != OK)
		return err;
	for (size_t i = 0; i < choice.n; i++) {
		err = connect_by(call, choice.protocols[i], request, profile, reply);
		if (!is_short(call, err))
			return err;
	}
	return err;
}

err_t get_app_peer(
	struct call *call, const Provision__AppPeerRequest *request, Provision__AppPeer *reply)
{
	bool is_set = false;
	err_t err;

	if ((err = check_uuid(call, "peer", request->peer)) != OK)
		return err;
	err = store_peer_is_set(call, request->app->authorization, request->peer, &is_set);
	reply->set = is_set;
	return err;
}

err_t disconnect_app(struct call *call, const Provision__App *request, Provision__Empty *reply)
{
	(void)reply;
	return end_connected(call, request->authorization);
}
