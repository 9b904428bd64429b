/* connection: what a VPN server asks while it runs, and the log of its connections. */
#include "services/provision/vpn/vpn.h"

#include "lib/check.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "services/provision/vpn/judge.h"
#include "services/provision/vpn/own.h"
#include "services/provision/vpn/store_vpn.h"

#include <arpa/inet.h>
#include <string.h>

#define REPORTS_MAX 200
#define SECRET_MAX  256
#define SOURCE_MAX  64

#define DECISION(word)                                                                             \
	{                                                                                          \
		.name = "lanyard_vpn_decisions_total",                                             \
		.help = "connections to VPN servers that were decided on",                         \
		.labels = "outcome=\"" word "\"", .type = METRIC_COUNTER                           \
	}

static struct metric allowed = DECISION("allowed"), refused = DECISION("refused");

void vpn_open(void)
{
	metric_register(&allowed);
	metric_register(&refused);
}

/* ---- a client comes ---- */

static err_t check_request(
	struct call *call, const Provision__AuthorizeVpnConnectionRequest *request)
{
	err_t err;

	if ((err = check_text(call, "username", request->username, 0, SECRET_MAX)) != OK ||
		(err = check_text(call, "password", request->password, 0, SECRET_MAX)) != OK)
		return err;
	return check_text(call, "source", request->source, 0, SOURCE_MAX);
}

static err_t let_in(struct call *call, const struct own_server *own,
	const struct vpn_client *client, Provision__VpnDecision *reply)
{
	err_t err = store_vpn_connection_add(call, &own->server, own->run, client, reply);

	if (err == ERR_RESOURCE_EXHAUSTED) {
		reply->reason = "the network has no free address left";
		return OK;
	}
	reply->allowed = err == OK;
	return err;
}

err_t authorize_vpn_connection(struct call *call,
	const Provision__AuthorizeVpnConnectionRequest *request, Provision__VpnDecision *reply)
{
	struct vpn_client client = { 0 };
	struct own_server own;
	err_t err;

	if ((err = check_request(call, request)) != OK ||
		(err = own_find_run(call, request->device, request->server, "openvpn", request->run,
			 &own)) != OK ||
		(err = judge(call, &own, request, &client, reply)) != OK)
		return err;
	if (*reply->reason == '\0' && (err = let_in(call, &own, &client, reply)) != OK)
		return err;
	metric_add(reply->allowed ? &allowed : &refused, 1);
	if (!reply->allowed)
		log_info("vpn_refused", "tenant=%s server=%s serial=%s reason=%s", call->tenant,
			request->server, request->serial, log_value(reply->reason));
	return OK;
}

/* ---- what it reports ---- */

static err_t take_report(
	struct call *call, const char *server, const Provision__VpnConnectionReport *report)
{
	err_t err;

	if ((err = check_uuid(call, "connection", report->connection)) != OK ||
		(err = store_vpn_connection_count(call, server, report)) != OK)
		return err;
	return report->gone ? store_vpn_connection_end(call, server, report->connection) : OK;
}

/* Looks up what is doubted; while auth is away it stays so, and stays connected. */
static err_t judge_doubted(struct call *call, const struct own_server *own)
{
	AUTO_ROWS rows = NULL;
	bool ban;
	err_t err = store_vpn_doubted(call, own->server.id, own->run, &rows);

	for (size_t i = 0; err == OK && i < db_count(rows); i++) {
		err = judge_again(call, own, db_text(rows, i, "serial"), &ban);
		if (err == OK)
			err = store_vpn_judged(call, db_text(rows, i, "id"), ban);
	}
	return err == ERR_UNAVAILABLE ? OK : err;
}

static err_t tell_unwelcome(
	struct call *call, const struct own_server *own, Provision__VpnVerdict *reply)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_vpn_unwelcome(call, own->server.id, own->run, &rows);

	if (err != OK)
		return err;
	reply->unwelcome = arena_alloc(call->arena, (db_count(rows) + 1) * sizeof(char *));
	for (size_t i = 0; i < db_count(rows); i++)
		reply->unwelcome[reply->n_unwelcome++] =
			arena_strdup(call->arena, db_text(rows, i, "id"));
	return OK;
}

err_t report_vpn_connections(struct call *call,
	const Provision__ReportVpnConnectionsRequest *request, Provision__VpnVerdict *reply)
{
	struct own_server own;
	err_t err;

	if (request->n_items > REPORTS_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "items",
			"expected at most %d connections", REPORTS_MAX);
	err = own_find_run(call, request->device, request->server, "openvpn", request->run, &own);
	for (size_t i = 0; err == OK && i < request->n_items; i++)
		err = take_report(call, own.server.id, request->items[i]);
	if (err != OK || (err = store_vpn_server_reported(call, own.server.id)) != OK ||
		(err = judge_doubted(call, &own)) != OK)
		return err;
	return tell_unwelcome(call, &own, reply);
}

/* ---- the log ---- */

static err_t check_address(struct call *call, const char *address)
{
	unsigned char bytes[16];

	if (inet_pton(AF_INET, address, bytes) == 1 || inet_pton(AF_INET6, address, bytes) == 1)
		return OK;
	return call_refuse(call, ERR_INVALID_ARGUMENT, "address",
		"expected an IPv4 or IPv6 address, without a prefix length");
}

static err_t check_time(struct call *call, const char *at)
{
	int64_t unix_s;

	if (clock_read(at, &unix_s))
		return OK;
	return call_refuse(
		call, ERR_INVALID_ARGUMENT, "at", "expected a time like 2026-03-01T12:00:00Z");
}

err_t list_vpn_connections(struct call *call, const Provision__ListVpnConnectionsRequest *request,
	Provision__VpnConnectionList *reply)
{
	err_t err;

	if ((*request->cursor != '\0' &&
		    (err = check_uuid(call, "cursor", request->cursor)) != OK) ||
		(*request->server != '\0' &&
			(err = check_uuid(call, "server", request->server)) != OK) ||
		(*request->subject != '\0' &&
			(err = check_uuid(call, "subject", request->subject)) != OK) ||
		(*request->address != '\0' &&
			(err = check_address(call, request->address)) != OK) ||
		(*request->at != '\0' && (err = check_time(call, request->at)) != OK))
		return err;
	return store_vpn_connection_list(call, request, reply);
}

err_t get_vpn_statistics(
	struct call *call, const Provision__Empty *request, Provision__VpnStatistics *reply)
{
	(void)request;
	return store_vpn_statistics(call, reply);
}

/* ---- what happens to them ---- */

err_t vpn_revoked(struct call *call, const Event__Revoked *event)
{
	static const char user[] = "user:", tenant[] = "tenant:";

	if (strncmp(event->subject, tenant, strlen(tenant)) == 0)
		return store_vpn_connections_ban(call, NULL);
	if (strncmp(event->subject, user, strlen(user)) == 0)
		return store_vpn_connections_ban(call, event->subject + strlen(user));
	return OK;
}

err_t vpn_groups_changed(struct call *call, const Event__GroupsChanged *event)
{
	return store_vpn_connections_doubt(call, event->user);
}

err_t end_lost_connections(struct call *call)
{
	return store_vpn_connections_silent(call);
}

err_t forget_connections(struct call *call)
{
	return store_vpn_connections_forget(call);
}
