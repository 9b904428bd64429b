/* lanyard wireguard: makes this device a VPN server for people's WireGuard apps, in the foreground,
 * until it is told to stop. */
#include "agents/vpn_server.h"
#include "agents/wireguard/keeper.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define INTERFACE "lanyard-wg"
#define FOLDER	  "wireguard"

static const char details[] =
	"Runs in the foreground: let a supervisor run it. Has a WireGuard interface with a key of "
	"its own, which is in\n"
	"STATE/wireguard/INTERFACE, and lets in the people's apps that the portal has given a "
	"profile. An operator has\n"
	"made a VPN server of the kind wireguard of this device (POST vpn-servers). The device has "
	"to be enrolled (lanyard\n"
	"enroll), and wireguard-tools be installed; where the kernel has no WireGuard, also "
	"wireguard-go. Needs root.\n\n"
	"Its peers are routed, and the kernel answers for them in the network:\n\n"
	"  lanyard wireguard & lanyard up\n\n"
	"Exit status: 0 after a stop that was asked for, 1 it can't start or go on, 2 wrong "
	"usage.\n";

struct command {
	struct vpn_server server;
	char *dir; /* of the interface */
	struct keeper *keeper;
};

static err_t on_start(void *context, struct fault *fault)
{
	struct command *command = context;
	struct vpn_server *server = &command->server;
	err_t err;

	command->dir = xasprintf("%s/" FOLDER "/%s", server->state, server->interface);
	if ((err = state_make_folder(command->dir, fault)) != OK)
		return err;
	return keeper_create(&command->keeper,
		&(struct keeper_options){
			.loop = server->loop,
			.fetcher = server->fetcher,
			.device = &server->device,
			.dir = command->dir,
			.server = server->id,
			.interface = server->interface,
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

	keeper_stop(command->keeper);
}

static char *on_status(void *context)
{
	const struct command *command = context;

	return keeper_status(command->keeper);
}

static void on_destroy(void *context)
{
	struct command *command = context;

	keeper_destroy(command->keeper);
}

int command_wireguard(int argc, char **argv)
{
	struct command command = { .server = { .interface = INTERFACE,
					   .uplink = VPN_SERVER_UPLINK,
					   .state = COMMAND_STATE,
					   .of = CONTROL_WIREGUARD,
					   .context = &command,
					   .start = on_start,
					   .stop = on_stop,
					   .status = on_status,
					   .destroy = on_destroy } };
	const struct option_row rows[] = {
		VPN_SERVER_ROWS(command.server, INTERFACE),
		{ NULL, NULL, NULL, NULL, NULL },
	};
	const struct option_table table = { "wireguard",
		"Makes this device a VPN server for people's WireGuard apps.", details,
		OPTION_NO_WORDS, rows };
	int status;

	if (!options_parse(&table, argc, argv, &status))
		return status;
	status = vpn_server_run(&command.server, table.command);
	free(command.dir);
	return status;
}
