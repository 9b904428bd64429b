/* lanyard up: connects to a network and stays connected, in the foreground, until it is told to
 * stop. */
#include "agents/command.h"
#include "agents/foreground.h"
#include "agents/options.h"
#include "agents/packages/settings.h"
#include "agents/state.h"

#include <stdio.h>
#include <stdlib.h>

static const char details[] = "Runs in the foreground: let a supervisor run it. Makes a TAP "
			      "interface, gives it the device's\n"
			      "addresses, and connects it to the network; connects again whenever "
			      "that is lost. Needs root and\n"
			      "/dev/net/tun. The device has to be enrolled (lanyard enroll). "
			      "SIGTERM, SIGINT and lanyard down end it\n"
			      "and remove the interface.\n\n" FOREGROUND_HELP
			      "Exit status: 0 after a stop that was asked for, 1 it can't start or "
			      "go on, 2 wrong usage.\n";

static void fill(const char **option, const char *setting)
{
	if (*option == NULL && *setting != '\0')
		*option = setting;
}

/* The settings where nothing else was given; returns the name of the interface. */
static const char *complete(struct foreground *up, const struct settings *settings)
{
	fill(&up->network, settings->network);
	fill(&up->interface, settings->interface);
	fill(&up->interface, "lanyard0");
	fill(&up->congestion, settings->congestion);
	fill(&up->proxy_url, settings->proxy);
	return up->interface;
}

int command_up(int argc, char **argv)
{
	struct foreground up = { .state = COMMAND_STATE };
	struct settings settings = { 0 };
	const char *settings_file = NULL;
	const struct option_row rows[] = {
		{ "network", "NAME", "which of the device's networks (default: the only one)",
			&up.network, NULL },
		{ "interface", "IFNAME", "name of the TAP interface (default lanyard0)",
			&up.interface, NULL },
		{ "settings", "FILE",
			"what is not given here: the agent.json of a package (lanyard packages)",
			&settings_file, NULL },
		FOREGROUND_ROWS(up),
		{ NULL, NULL, NULL, NULL, NULL },
	};
	const struct option_table table = { "up", "Connects to a network and stays connected.",
		details, OPTION_NO_WORDS, rows };
	struct fault fault = { 0 };
	struct device device;
	int status;

	if (!options_parse(&table, argc, argv, &status))
		return status;
	if ((settings_file != NULL && settings_read(&settings, settings_file, &fault) != OK) ||
		tap_check_name(complete(&up, &settings), &fault) != OK ||
		state_load(up.state, &device, &fault) != OK) {
		fprintf(stderr, "lanyard up: %s\n", fault.detail);
		return EXIT_FAILURE;
	}
	up.device = &device;
	up.ca_pem = device.ca_pem;
	status = foreground_run(&up, table.command);
	device_finish(&device);
	return status;
}
