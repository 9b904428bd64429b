/* lanyard openvpn: makes this device a VPN server for OpenVPN's own clients, in the foreground,
 * until it is told to stop. */
#include "agents/openvpn/bridge.h"
#include "agents/vpn_server.h"

#include "lib/tap.h"

#include <stdlib.h>

#define INTERFACE "lanyard-ovpn"
#define BRIDGE	  "lanyard-vpn"

static const char details[] =
	"Runs in the foreground: let a supervisor run it. Runs an OpenVPN server, with a key of "
	"its own, a certificate\n"
	"of the tenant and a configuration that are in STATE/openvpn, and lets in whom the portal "
	"lets in. An operator\n"
	"has made a VPN server of this device (POST vpn-servers). The device has to be enrolled "
	"(lanyard enroll), and\n"
	"openvpn 2.6 be installed. Needs root.\n\n"
	"With the mode tap OpenVPN's interface is a port of a Linux bridge, which lanyard up joins "
	"with the network:\n\n"
	"  lanyard openvpn & lanyard up --join " BRIDGE "\n\n"
	"With the mode tun its clients are routed, and the kernel answers for them in the "
	"network:\n\n"
	"  lanyard openvpn & lanyard up\n\n"
	"Exit status: 0 after a stop that was asked for, 1 it can't start or go on, 2 wrong "
	"usage.\n";

struct command {
	struct vpn_server server;
	const char *join;
	char *state; /* its whole path: OpenVPN is told of its folder by it */
	struct bridge *bridge;
};

static err_t on_start(void *context, struct fault *fault)
{
	struct command *command = context;
	struct vpn_server *server = &command->server;
	err_t err = tap_check_name(command->join, fault);

	if (err != OK)
		return err;
	if ((command->state = realpath(server->state, NULL)) == NULL)
		return fault_set(fault, ERR_INTERNAL, "state", "%.150s: %m", server->state);
	return bridge_create(&command->bridge,
		&(struct bridge_options){
			.loop = server->loop,
			.fetcher = server->fetcher,
			.device = &server->device,
			.state = command->state,
			.server = server->id,
			.interface = server->interface,
			.join = command->join,
			.uplink = server->uplink,
			.netns = server->netns,
			.context = server,
			.finished = vpn_server_finished,
		},
		fault);
}

static void on_stop(void *context)
{
	struct command *command = context;

	bridge_stop(command->bridge);
}

static char *on_status(void *context)
{
	const struct command *command = context;

	return bridge_status(command->bridge);
}

static void on_destroy(void *context)
{
	struct command *command = context;

	bridge_destroy(command->bridge);
}

int command_openvpn(int argc, char **argv)
{
	struct command command = { .join = BRIDGE,
		.server = { .interface = INTERFACE,
			.uplink = VPN_SERVER_UPLINK,
			.state = COMMAND_STATE,
			.of = CONTROL_OPENVPN,
			.context = &command,
			.start = on_start,
			.stop = on_stop,
			.status = on_status,
			.destroy = on_destroy } };
	const struct option_row rows[] = {
		{ "bridge", "IFNAME", "tap: the Linux bridge, made if need be (default " BRIDGE ")",
			&command.join, NULL },
		VPN_SERVER_ROWS(command.server, INTERFACE),
		{ NULL, NULL, NULL, NULL, NULL },
	};
	const struct option_table table = { "openvpn",
		"Makes this device a VPN server for clients of OpenVPN.", details, OPTION_NO_WORDS,
		rows };
	int status;

	if (!options_parse(&table, argc, argv, &status))
		return status;
	status = vpn_server_run(&command.server, table.command);
	free(command.state);
	return status;
}
