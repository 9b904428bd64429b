/* lanyard openvpn: makes this device a VPN server for OpenVPN's own clients, in the foreground,
 * until it is told to stop. */
#include "agents/command.h"
#include "agents/control.h"
#include "agents/openvpn/bridge.h"
#include "agents/options.h"
#include "agents/proxy.h"
#include "agents/signals.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERFACE "lanyard-ovpn"
#define BRIDGE	  "lanyard-vpn"
#define UPLINK	  "lanyard0"

static const char details[] =
	"Runs in the foreground: let a supervisor run it. Runs an OpenVPN server, with a key of "
	"its "
	"own, a certificate\n"
	"of the tenant and a configuration that are in STATE/openvpn, and lets in whom the portal "
	"lets "
	"in. An operator\n"
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
	struct bridge_options options;
	const char *proxy_url, *proxy_credentials;
	struct device device;
	struct proxy proxy;
	struct bridge *bridge;
	struct control *control;
	int status;
};

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

static void on_finished(void *context, bool well)
{
	struct command *command = context;

	command->status = well ? EXIT_SUCCESS : EXIT_FAILURE;
	loop_stop(command->options.loop);
}

static err_t read_options(struct command *command, struct fault *fault)
{
	struct bridge_options *options = &command->options;
	err_t err;

	if ((err = tap_check_name(options->interface, fault)) != OK ||
		(err = tap_check_name(options->join, fault)) != OK ||
		(err = tap_check_name(options->uplink, fault)) != OK ||
		(err = proxy_read(&command->proxy, command->proxy_url, command->proxy_credentials,
			 fault)) != OK)
		return err;
	return state_load(options->state, &command->device, fault);
}

static void run_loop(struct command *command)
{
	struct signals signals;

	signals_open(&signals, command->options.loop, on_stop, command);
	log_info("started", "version=" LANYARD_VERSION);
	loop_run(command->options.loop);
	log_info("stopped", "status=%d", command->status);
	signals_close(&signals);
	bridge_destroy(command->bridge);
}

/* OpenVPN is told of its folder by its whole path. */
static err_t run_bridge(struct command *command, struct fault *fault)
{
	struct bridge_options *options = &command->options;
	AUTO_FREE char *state = realpath(options->state, NULL);
	err_t err;

	if (state == NULL)
		return fault_set(fault, ERR_INTERNAL, "state", "%.150s: %m", options->state);
	options->state = state;
	err = control_open(&command->control,
		&(struct control_options){ options->loop, CONTROL_OPENVPN, state,
			options->interface, command, on_status, on_stop },
		fault);
	if (err != OK)
		return err;
	if ((err = bridge_create(&command->bridge, options, fault)) == OK)
		run_loop(command);
	control_close(command->control); /* last of all: lanyard down waits for this */
	return err;
}

static err_t run(struct command *command, struct fault *fault)
{
	struct bridge_options *options = &command->options;
	err_t err;

	signals_block();
	if ((err = read_options(command, fault)) != OK)
		return err;
	options->loop = loop_create();
	options->fetcher = fetcher_create(options->loop, &command->proxy);
	options->device = &command->device;
	options->context = command;
	options->finished = on_finished;
	err = run_bridge(command, fault);

	fetcher_destroy(options->fetcher);
	loop_destroy(options->loop);
	device_finish(&command->device);
	explicit_bzero(&command->proxy, sizeof(command->proxy));
	return err;
}

int command_openvpn(int argc, char **argv)
{
	struct command command = { .options = { .state = COMMAND_STATE,
					   .interface = INTERFACE,
					   .join = BRIDGE,
					   .uplink = UPLINK } };
	const struct option_row rows[] = {
		{ "server", "ID", "which of the device's VPN servers (default: the only one)",
			&command.options.server, NULL },
		{ "interface", "IFNAME", "name of OpenVPN's interface (default " INTERFACE ")",
			&command.options.interface, NULL },
		{ "bridge", "IFNAME", "tap: the Linux bridge, made if need be (default " BRIDGE ")",
			&command.options.join, NULL },
		{ "uplink", "IFNAME", "tun: the interface of lanyard up (default " UPLINK ")",
			&command.options.uplink, NULL },
		{ "netns", "NAME", "run OpenVPN in this network namespace", &command.options.netns,
			NULL },
		{ "proxy", "URL", "to the portal through http://HOST:PORT or socks5://HOST:PORT",
			&command.proxy_url, NULL },
		{ "proxy-credentials", "FILE", "read the proxy's USER:PASSWORD from FILE",
			&command.proxy_credentials, NULL },
		{ "state", "DIR", "state folder (default " COMMAND_STATE ")",
			&command.options.state, NULL },
		{ NULL, NULL, NULL, NULL, NULL },
	};
	const struct option_table table = { "openvpn",
		"Makes this device a VPN server for clients of OpenVPN.", details, OPTION_NO_WORDS,
		rows };
	struct fault fault = { 0 };
	int status;

	if (!options_parse(&table, argc, argv, &status))
		return status;
	log_open("agent", LOG_LEVEL_INFO);
	if (run(&command, &fault) == OK)
		return command.status;
	fprintf(stderr, "lanyard openvpn: %s\n", fault.detail);
	return EXIT_FAILURE;
}
