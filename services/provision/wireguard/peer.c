/* peer: see peer.h. */
#include "services/provision/wireguard/peer.h"

#include "lib/base64.h"
#include "lib/clock.h"
#include "lib/metrics.h"
#include "services/provision/auth.h"
#include "services/provision/profile/access.h"
#include "services/provision/wireguard/peer_config.h"
#include "services/provision/wireguard/store_peer.h"

#include <sodium.h>

#include <string.h>

#define KEY_LEN	      32
#define KEY_TEXT_LEN  44
#define WIREGUARD_MTU 1420 /* of what fits into packets of 1500 bytes, also over IPv6 */
#define LEFT_MIN      60

#define PEERS(word)                                                                                \
	{                                                                                          \
		.name = "lanyard_wireguard_peers_total",                                           \
		.help = "peers of WireGuard that apps were to get",                                \
		.labels = "event=\"" word "\"", .type = METRIC_COUNTER                             \
	}

static struct metric added = PEERS("added"), ended = PEERS("ended"), refused = PEERS("refused");
static struct metric live = { .name = "lanyard_wireguard_peers",
	.help = "peers of WireGuard that may connect",
	.type = METRIC_GAUGE };

void peer_open(void)
{
	metric_register(&added);
	metric_register(&ended);
	metric_register(&refused);
	metric_register(&live);
}

err_t peer_check_key(struct call *call, const char *public_key)
{
	uint8_t key[KEY_LEN];
	size_t len;

	if (strlen(public_key) == KEY_TEXT_LEN &&
		base64_decode(public_key, KEY_TEXT_LEN, sodium_base64_VARIANT_ORIGINAL, key,
			sizeof(key), &len) &&
		len == sizeof(key))
		return OK;
	return call_refuse(call, ERR_INVALID_ARGUMENT, "public_key",
		"expected a key of WireGuard: 32 bytes in Base64");
}

uint32_t peer_mtu(uint32_t network_mtu)
{
	return network_mtu < WIREGUARD_MTU ? network_mtu : WIREGUARD_MTU;
}

static err_t count(err_t err, const long long *n)
{
	if (err == OK)
		metric_add(&ended, *n);
	return err;
}

/* ---- the beginning ---- */

static int64_t end_of(const struct peer_wanted *wanted)
{
	int64_t own_s = clock_unix_ms() / 1000 + wanted->profile->lifetime_s;

	if (wanted->profile->lifetime_s == 0 || own_s > wanted->app->expires_at)
		return wanted->app->expires_at;
	return own_s;
}

static err_t find_server(
	struct call *call, const struct peer_wanted *wanted, struct store_peer_server *server)
{
	err_t err = store_peer_server(call, wanted->profile->id, server);

	if (err != OK)
		return err;
	if (server->id == NULL)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "server",
			"no WireGuard server of the profile is up");
	if (server->is_full)
		return call_refuse(call, ERR_RESOURCE_EXHAUSTED, "network",
			"the profile's WireGuard servers have no room left");
	return strcmp(server->public_key, wanted->public_key) != 0
		       ? OK
		       : call_refuse(call, ERR_INVALID_ARGUMENT, "public_key",
				 "expected a key of the app's own");
}

/* A key is in use once. */
static err_t end_key(struct call *call, const struct peer_wanted *wanted)
{
	long long n = 0;

	return count(store_peer_end_key(call, wanted->app->user, wanted->public_key,
			     "the app has connected anew with the same key", &n),
		&n);
}

static char *write_config(struct call *call, const struct peer_wanted *wanted,
	const struct store_peer_server *server, const struct store_peer_place *place)
{
	struct peer_config config = { .profile = wanted->profile,
		.host = server->host,
		.port = server->port,
		.public_key = server->public_key,
		.ipv4 = place->ipv4,
		.ipv6 = place->ipv6,
		.ipv4_range = place->ipv4_range,
		.ipv6_range = place->ipv6_range,
		.mtu = peer_mtu(place->mtu) };

	return peer_config_write(call->arena, &config);
}

static err_t add(struct call *call, const struct peer_wanted *wanted, Provision__AppConfig *reply)
{
	struct store_peer_server server;
	struct store_peer_place place;
	struct store_peer peer = { .user = wanted->app->user,
		.authorization = wanted->app->authorization,
		.profile_id = wanted->profile->profile_id,
		.network = wanted->profile->network,
		.public_key = wanted->public_key,
		.expires_at = end_of(wanted) };
	err_t err;

	if (peer.expires_at < clock_unix_ms() / 1000 + LEFT_MIN)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "",
			"the authorization is about to end: let the app in again");
	if ((err = find_server(call, wanted, &server)) != OK || (err = end_key(call, wanted)) != OK)
		return err;
	peer.server = server.id;
	if ((err = store_peer_add(call, &peer, &place)) != OK)
		return err;
	reply->peer = (char *)(uintptr_t)place.id;
	reply->expires_at = peer.expires_at;
	reply->config = write_config(call, wanted, &server, &place);
	return OK;
}

err_t peer_add(struct call *call, const struct peer_wanted *wanted, Provision__AppConfig *reply)
{
	err_t err = peer_check_key(call, wanted->public_key);

	if (err == OK)
		err = add(call, wanted, reply);
	metric_add(err == OK ? &added : &refused, 1);
	return err;
}

/* ---- the end ---- */

err_t peer_end_authorization(struct call *call, const char *authorization, const char *reason)
{
	long long n = 0;

	return count(store_peer_end_authorization(call, authorization, reason, &n), &n);
}

err_t peer_end_oldest(struct call *call, const char *user, const char *last)
{
	long long n = 0;

	return count(store_peer_end_up_to(
			     call, user, last, "the user has connected with newer ones", &n),
		&n);
}

err_t peer_end_profile(struct call *call, const char *profile_id)
{
	long long n = 0;

	return count(store_peer_end_profile(call, profile_id, "the profile was deleted", &n), &n);
}

err_t peer_end_server(struct call *call, const char *server)
{
	long long n = 0;

	return count(store_peer_end_server(call, server, "the VPN server was deleted", &n), &n);
}

err_t peer_profile_changed(struct call *call, const char *profile_id)
{
	return store_peer_judge_profile(call, profile_id);
}

/* ---- what auth tells ---- */

err_t peer_revoked(struct call *call, const Event__Revoked *event)
{
	static const char authorization[] = "authorization:", user[] = "user:",
			  tenant[] = "tenant:";
	const char *subject = event->subject;
	long long n = 0;

	if (strncmp(subject, authorization, strlen(authorization)) == 0)
		return peer_end_authorization(call, subject + strlen(authorization),
			"the authorization of the app has ended");
	if (strncmp(subject, tenant, strlen(tenant)) == 0)
		return count(store_peer_end_all(call, event->reason, &n), &n);
	if (strncmp(subject, user, strlen(user)) == 0)
		return store_peer_judge_user(call, subject + strlen(user));
	return OK;
}

err_t peer_groups_changed(struct call *call, const Event__GroupsChanged *event)
{
	return *event->user != '\0' ? store_peer_judge_user(call, event->user)
				    : store_peer_judge_grouped(call);
}

/* ---- what they may now ---- */

/* `reason` NULL: it stays. */
static err_t judge(struct call *call, const char *user, const char *profile_id, const char **reason)
{
	const Provision__Profile *profile;
	const Auth__User *person;
	err_t err = auth_get_user(call, user, &person);

	*reason = NULL;
	if (err == ERR_NOT_FOUND) {
		*reason = "the user was deleted";
		return OK;
	}
	if (err != OK)
		return err;
	if (strcmp(person->state, "active") != 0) {
		*reason = "the user was blocked";
		return OK;
	}
	err = access_find_for(call, person, profile_id, &profile);
	if (err == ERR_NOT_FOUND ||
		(err == OK && !access_has_protocol(profile, PROFILE_WIREGUARD))) {
		*reason = "the profile is not open to the user any more";
		return OK;
	}
	return err;
}

/* The task's call is everybody's: the peer is its tenant's. */
static err_t judge_row(struct call *call, const struct db_rows *rows, size_t i)
{
	const char *tenant = call->tenant, *reason;
	long long n = 0;
	err_t err;

	call->tenant = db_text(rows, i, "tenant");
	err = judge(call, db_text(rows, i, "user"), db_text(rows, i, "profile_id"), &reason);
	if (err == OK)
		err = count(store_peer_judged(call, db_text(rows, i, "id"), reason, &n), &n);
	call->tenant = tenant;
	return err;
}

err_t peer_judge(struct call *call)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_peer_to_judge(call, &rows);

	for (size_t i = 0; err == OK && i < db_count(rows); i++)
		err = judge_row(call, rows, i);
	return err;
}

/* ---- those whose time is over ---- */

err_t peer_end_over(struct call *call)
{
	long long n = 0, n_live = 0;
	err_t err;

	if ((err = count(store_peer_end_over(call, &n), &n)) != OK ||
		(err = store_peer_end_sessions(call)) != OK ||
		(err = store_peer_count(call, &n_live)) != OK)
		return err;
	metric_set(&live, n_live);
	return OK;
}

err_t peer_forget(struct call *call)
{
	return store_peer_forget(call);
}
