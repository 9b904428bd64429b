/*
 * vpnws: see vpnws.h.
 */
#include "dataplane/vpnws/vpnws.h"

#include "dataplane/net/listener.h"
#include "dataplane/switch/session.h"
#include "dataplane/vpnws/face.h"
#include "dataplane/vpnws/host.h"
#include "dataplane/vpnws/list.h"
#include "dataplane/vpnws/peer.h"
#include "lib/check.h"
#include "lib/endpoint.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/shell.h"
#include "lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define EXEC_S 60 /* for the operator's command */

struct vpnws {
	struct vpnws_options options;
	struct peer_rules rules;
	struct listener *listener; /* NULL: none */
	struct host *host;	   /* NULL: none */
};

/* ---- settings ---- */

static bool read_mode(const char *text, mode_t *mode)
{
	char *end;
	unsigned long value = strtoul(text, &end, 8);

	*mode = (mode_t)value;
	return *text >= '0' && *text <= '7' && *end == '\0' && value <= 0777;
}

static err_t check_network(const struct vpnws_settings *settings, struct fault *fault)
{
	static const char expected[] = "expected the UUID of the %s that clients of vpn-ws, and "
				       "the node's own interface, are in";

	if (!check_is_uuid(settings->tenant))
		return fault_set(
			fault, ERR_INVALID_ARGUMENT, "LANYARD_VPNWS_TENANT", expected, "tenant");
	if (!check_is_uuid(settings->network))
		return fault_set(
			fault, ERR_INVALID_ARGUMENT, "LANYARD_VPNWS_NETWORK", expected, "network");
	return OK;
}

static err_t check_door(const struct vpnws_settings *settings, struct fault *fault)
{
	struct sockaddr_storage address;
	struct privileges found;
	socklen_t len;
	mode_t mode;

	if (endpoint_parse_any(settings->listen, &address, &len) != OK)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_VPNWS_LISTEN",
			"expected the path of a unix socket, ADDRESS:PORT or [ADDRESS]:PORT");
	if (!read_mode(settings->mode, &mode))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_VPNWS_MODE",
			"expected the mode of a file, e.g. 0660");
	if (*settings->group != '\0' &&
		privileges_find(&found, "nobody", settings->group, fault) != OK) {
		snprintf(fault->field, sizeof(fault->field), "LANYARD_VPNWS_GROUP");
		return ERR_INVALID_ARGUMENT;
	}
	return OK;
}

/* The fault of another module gets the setting's name. */
static err_t name_fault(struct fault *fault, err_t err, const char *setting)
{
	if (err != OK)
		snprintf(fault->field, sizeof(fault->field), "%s", setting);
	return err;
}

err_t vpnws_check(const struct vpnws_settings *settings, struct fault *fault)
{
	bool has_door = *settings->listen != '\0', has_tap = *settings->tuntap != '\0';
	struct privileges found;
	err_t err = OK;

	if (has_door || has_tap)
		err = check_network(settings, fault);
	if (err == OK && has_door)
		err = check_door(settings, fault);
	if (err == OK && has_tap)
		err = name_fault(
			fault, tap_check_name(settings->tuntap, fault), "LANYARD_VPNWS_TUNTAP");
	if (err != OK)
		return err;
	err = privileges_find(&found, settings->user, settings->process_group, fault);
	return name_fault(
		fault, err, strcmp(fault->field, "group") == 0 ? "LANYARD_GROUP" : "LANYARD_USER");
}

/* ---- doors ---- */

static void on_accepted(void *context, struct stream *stream)
{
	face_accept(context, stream);
}

/* The group of the socket's file: that of the setting, or the one that the process goes on with. */
static gid_t door_group(const struct vpnws_settings *settings)
{
	struct privileges found = { 0 };
	struct fault fault;
	err_t err;

	if (*settings->group != '\0')
		err = privileges_find(&found, "nobody", settings->group, &fault);
	else
		err = privileges_find(&found, settings->user, settings->process_group, &fault);
	return err == OK ? found.group : 0;
}

static err_t open_door(struct vpnws *vpnws)
{
	const struct vpnws_settings *settings = vpnws->options.settings;
	struct listener_options options = {
		.loop = vpnws->options.loop,
		.door = { .listen = settings->listen, .group = door_group(settings) },
		.streams = vpnws->options.streams,
		.accepted = on_accepted,
		.context = vpnws,
	};

	read_mode(settings->mode, &options.door.mode);
	return listener_open(&vpnws->listener, &options);
}

static err_t open_host(struct vpnws *vpnws)
{
	const struct vpnws_settings *settings = vpnws->options.settings;
	const struct host_options options = {
		.loop = vpnws->options.loop,
		.sessions = vpnws->options.sessions,
		.tenant = settings->tenant,
		.network = settings->network,
		.interface = settings->tuntap,
		.bridge = settings->bridge,
	};

	return host_open(&vpnws->host, &options);
}

err_t vpnws_open(struct vpnws **out, const struct vpnws_options *options)
{
	const struct vpnws_settings *settings = options->settings;
	struct vpnws *vpnws = xcalloc(1, sizeof(*vpnws));
	err_t err = OK;

	*out = vpnws;
	vpnws->options = *options;
	vpnws->rules = (struct peer_rules){
		.tenant = settings->tenant,
		.network = settings->network,
		.bridges = settings->bridges,
		.no_broadcast = settings->no_broadcast,
		.no_multicast = settings->no_multicast,
	};
	if (*settings->listen != '\0')
		err = open_door(vpnws);
	if (err == OK && *settings->tuntap != '\0')
		err = open_host(vpnws);
	return err;
}

void vpnws_close(struct vpnws *vpnws)
{
	if (!vpnws)
		return;
	listener_close(vpnws->listener);
	vpnws->listener = NULL;
	host_close(vpnws->host);
	vpnws->host = NULL;
}

void vpnws_destroy(struct vpnws *vpnws)
{
	free(vpnws);
}

err_t vpnws_settle(const struct vpnws_settings *settings)
{
	AUTO_FREE char *interface = xasprintf("LANYARD_INTERFACE=%s", settings->tuntap);
	const char *const variables[] = { interface, NULL };
	struct privileges privileges;
	struct fault fault = { "", "" };
	err_t err = OK;

	if (*settings->exec != '\0')
		err = shell_run(settings->exec, variables, EXEC_S, &fault);
	if (err == OK)
		err = privileges_find(&privileges, settings->user, settings->process_group, &fault);
	if (err == OK)
		err = privileges_drop(&privileges, &fault);
	if (err != OK)
		log_error("settle_failed", "about=%s detail=%s", fault.field,
			log_value(fault.detail));
	return err;
}

/* ---- for face.c ---- */

struct sessions *vpnws_sessions(struct vpnws *vpnws)
{
	return vpnws->options.sessions;
}

const struct peer_rules *vpnws_rules(const struct vpnws *vpnws)
{
	return &vpnws->rules;
}

char *vpnws_list(const struct vpnws *vpnws)
{
	return list_text(
		vpnws->host, vpnws->options.sessions, vpnws->rules.tenant, vpnws->rules.network);
}

bool vpnws_kill(struct vpnws *vpnws, uint32_t number)
{
	return sessions_end_number(vpnws->options.sessions, vpnws->rules.tenant,
		       vpnws->rules.network, number) == OK;
}
