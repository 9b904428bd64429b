/*
 * vpn_server: what lanyard openvpn and lanyard wireguard share: their common options, and the life
 * of the process until a signal or lanyard down ends it.
 */
#pragma once

#include "agents/command.h"
#include "agents/control.h"
#include "agents/fetch.h"
#include "agents/options.h"
#include "agents/state.h"

#include "lib/err.h"

#include <stdbool.h>

struct vpn_server {
	/* The common options; the names of interfaces and the state have defaults. */
	const char *id; /* of the VPN server; NULL: the device's only one */
	const char *interface, *uplink, *netns, *state;
	const char *proxy_url, *proxy_credentials;

	/* Set by the command before vpn_server_run. */
	enum control_of of;
	void *context; /* of the following */
	err_t (*start)(void *context, struct fault *fault);
	void (*stop)(void *context);	/* vpn_server_finished is to follow */
	char *(*status)(void *context); /* for lanyard status; malloc'ed */
	void (*destroy)(void *context); /* after start was fine */

	/* What start finds. */
	struct loop *loop;
	struct fetcher *fetcher;
	struct device device;

	int exit_status;
};

#define VPN_SERVER_UPLINK "lanyard0"

#define VPN_SERVER_ROWS(s, name)                                                                   \
	{ "server", "ID", "which of the device's VPN servers (default: the only one)", &(s).id,    \
		NULL },                                                                            \
		{ "interface", "IFNAME", "name of the VPN's interface (default " name ")",         \
			&(s).interface, NULL },                                                    \
		{ "uplink", "IFNAME",                                                              \
			"the interface of lanyard up, for routes (default " VPN_SERVER_UPLINK ")", \
			&(s).uplink, NULL },                                                       \
		{ "netns", "NAME", "have the interface in this network namespace", &(s).netns,     \
			NULL },                                                                    \
		{ "proxy", "URL", "to the portal through http://HOST:PORT or socks5://HOST:PORT",  \
			&(s).proxy_url, NULL },                                                    \
		{ "proxy-credentials", "FILE", "read the proxy's USER:PASSWORD from FILE",         \
			&(s).proxy_credentials, NULL },                                            \
	{                                                                                          \
		"state", "DIR", "state folder (default " COMMAND_STATE ")", &(s).state, NULL       \
	}

/* Runs it; the exit status of the process, after a message on stderr if it could not start. */
int vpn_server_run(struct vpn_server *server, const char *command);

/* The server has ended, well if that was asked for; the log has said why. */
void vpn_server_finished(void *server, bool well);
