/* lanyard down: tells a command that runs to stop, and waits until it has. */
#include "agents/command.h"
#include "agents/control.h"
#include "agents/options.h"

#include <stdio.h>
#include <stdlib.h>

static const char details[] = "Exit status: 0 it has stopped (also if it was not running), 1 it "
			      "did not stop, 2 wrong usage. A\n"
			      "supervisor may start it again: stop it there instead.\n";

int command_down(int argc, char **argv)
{
	const char *state = COMMAND_STATE, *interface = NULL, *name = NULL, *openvpn = NULL;
	const char *wireguard = NULL;
	bool packages = false;
	const struct option_row rows[] = {
		{ "interface", "IFNAME", "lanyard up of this interface (default: the only one)",
			&interface, NULL },
		{ "name", "NAME", "lanyard expose of this name instead", &name, NULL },
		{ "openvpn", "IFNAME", "lanyard openvpn with this interface instead", &openvpn,
			NULL },
		{ "wireguard", "IFNAME", "lanyard wireguard with this interface instead",
			&wireguard, NULL },
		{ "packages", NULL, "lanyard packages instead", NULL, &packages },
		{ "state", "DIR", "state folder (default " COMMAND_STATE ")", &state, NULL },
		{ NULL, NULL, NULL, NULL, NULL },
	};
	const struct option_table table = { "down",
		"Stops the running lanyard up, expose, openvpn, wireguard or packages, and waits "
		"until it has.",
		details, OPTION_NO_WORDS, rows };
	char answer[CONTROL_ANSWER_MAX];
	enum control_of of = CONTROL_UP;
	const char *key;
	struct fault fault = { 0 };
	int status;
	err_t err;

	if (!options_parse(&table, argc, argv, &status))
		return status;
	key = interface;
	if (name != NULL) {
		of = CONTROL_EXPOSE;
		key = name;
	} else if (openvpn != NULL) {
		of = CONTROL_OPENVPN;
		key = openvpn;
	} else if (wireguard != NULL) {
		of = CONTROL_WIREGUARD;
		key = wireguard;
	} else if (packages) {
		of = CONTROL_PACKAGES;
		key = CONTROL_ONLY;
	}
	err = control_ask(of, state, key, "down\n", answer, &fault);
	if (err != OK)
		fprintf(stderr, "lanyard down: %s\n", fault.detail);
	return err == OK || err == ERR_NOT_FOUND ? EXIT_SUCCESS : EXIT_FAILURE;
}
