/* lanyard wireguard: makes this device a VPN server for people's WireGuard apps, in the foreground,
 * until it is told to stop. */
#include "agents/command.h"
#include "agents/control.h"
#include "agents/options.h"
#include "agents/proxy.h"
#include "agents/signals.h"
#include "agents/wireguard/keeper.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERFACE "lanyard-wg"
#define UPLINK	  "lanyard0"
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
	struct keeper_options options;
	const char *state;
	const char *proxy_url, *proxy_credentials;
	struct device device;
	struct proxy proxy;
	struct keeper *keeper;
	int status;
};

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

static void on_finished(void *context, bool well)
{
	struct command *command = context;

	command->status = well ? EXIT_SUCCESS : EXIT_FAILURE;
	loop_stop(command->options.loop);
}

static err_t read_options(struct command *command, struct fault *fault)
{
	struct keeper_options *options = &command->options;
	err_t err;

	if ((err = tap_check_name(options->interface, fault)) != OK ||
		(err = tap_check_name(options->uplink, fault)) != OK ||
		(err = proxy_read(&command->proxy, command->proxy_url, command->proxy_credentials,
			 fault)) != OK)
		return err;
	return state_load(command->state, &command->device, fault);
}

static void run_loop(struct command *command)
{
	struct signals signals;

	signals_open(&signals, command->options.loop, on_stop, command);
	log_info("started", "version=" LANYARD_VERSION);
	loop_run(command->options.loop);
	keeper_destroy(command->keeper);
	log_info("stopped", "status=%d", command->status);
	signals_close(&signals);
}

static err_t run_keeper(struct command *command, struct fault *fault)
{
	struct keeper_options *options = &command->options;
	struct control *control;
	err_t err = control_open(&control,
		&(struct control_options){ options->loop, CONTROL_WIREGUARD, command->state,
			options->interface, command, on_status, on_stop },
		fault);

	if (err != OK)
		return err;
	if ((err = keeper_create(&command->keeper, options, fault)) == OK)
		run_loop(command);
	control_close(control); /* last of all: lanyard down waits for this */
	return err;
}

static err_t run(struct command *command, struct fault *fault)
{
	struct keeper_options *options = &command->options;
	AUTO_FREE char *dir = xasprintf("%s/" FOLDER "/%s", command->state, options->interface);
	err_t err;

	signals_block();
	if ((err = read_options(command, fault)) != OK)
		return err;
	options->dir = dir;
	options->loop = loop_create();
	options->fetcher = fetcher_create(options->loop, &command->proxy);
	options->device = &command->device;
	options->context = command;
	options->finished = on_finished;
	if ((err = state_make_folder(dir, fault)) == OK)
		err = run_keeper(command, fault);

	fetcher_destroy(options->fetcher);
	loop_destroy(options->loop);
	device_finish(&command->device);
	explicit_bzero(&command->proxy, sizeof(command->proxy));
	return err;
}

int command_wireguard(int argc, char **argv)
{
	struct command command = { .options = { .interface = INTERFACE, .uplink = UPLINK },
		.state = COMMAND_STATE };
	const struct option_row rows[] = {
		{ "server", "ID", "which of the device's WireGuard servers (default: the only one)",
			&command.options.server, NULL },
		{ "interface", "IFNAME", "name of the interface (default " INTERFACE ")",
			&command.options.interface, NULL },
		{ "uplink", "IFNAME", "the interface of lanyard up (default " UPLINK ")",
			&command.options.uplink, NULL },
		{ "netns", "NAME", "have the interface in this network namespace",
			&command.options.netns, NULL },
		{ "proxy", "URL", "to the portal through http://HOST:PORT or socks5://HOST:PORT",
			&command.proxy_url, NULL },
		{ "proxy-credentials", "FILE", "read the proxy's USER:PASSWORD from FILE",
			&command.proxy_credentials, NULL },
		{ "state", "DIR", "state folder (default " COMMAND_STATE ")", &command.state,
			NULL },
		{ NULL, NULL, NULL, NULL, NULL },
	};
	const struct option_table table = { "wireguard",
		"Makes this device a VPN server for people's WireGuard apps.", details,
		OPTION_NO_WORDS, rows };
	struct fault fault = { 0 };
	int status;

	if (!options_parse(&table, argc, argv, &status))
		return status;
	log_open("agent", LOG_LEVEL_INFO);
	if (run(&command, &fault) == OK)
		return command.status;
	fprintf(stderr, "lanyard wireguard: %s\n", fault.detail);
	return EXIT_FAILURE;
}
