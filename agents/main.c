/*
 * lanyard: a device's side of everything: joins a tenant, keeps the device's TAP interface
 * connected to its network, tells how it is.
 *
 * Settings: command line options (lanyard COMMAND --help).
 * State:    one folder, by default /var/lib/lanyard (state.h).
 */
#include "agents/command.h"
#include "agents/expose/helper.h"
#include "agents/options.h"

#include "lib/mem.h"
#include "lib/privileges.h"

#include <sodium.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "enroll", "join a tenant with an enrolment key", command_enroll },
	{ "up", "connect to a network and stay connected, in the foreground", command_up },
	{ "connect", "connect to a vpn-ws server, or to a node, by its URL", command_connect },
	{ "status", "tell how the connection is", command_status },
	{ "pair", "connect with whoever shows the same token at a rendezvous server",
		command_pair },
	{ "monitor", "show what pairs and tunnels carry just now", command_monitor },
	{ "expose", "give this device a name, a certificate and a way in from everywhere",
		command_expose },
	{ "packages", "keep this device at the package that its tenant wants it to have",
		command_packages },
	{ "openvpn", "let clients of OpenVPN into a network", command_openvpn },
	{ "wireguard", "let people's WireGuard apps into a network", command_wireguard },
	{ "instances", "make, check and fetch signed lists of sites for VPN apps",
		command_instances },
	{ "down", "stop the running lanyard up or expose and wait until it has", command_down },
};

static void print_help(FILE *out)
{
	fprintf(out,
		"usage: lanyard COMMAND [OPTION]...\n\nEthernet over WebSocket for devices.\n\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\n  --help     print this and exit; lanyard COMMAND --help tells more\n"
		     "  --version  print the version and exit\n");
}

/* Is this the last part of the path by which the program was called? */
static bool is_called(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash != NULL ? slash + 1 : path, name) == 0;
}

int main(int argc, char **argv)
{
	if (argc > 0 && is_called(argv[0], HELPER_HOOK_NAME))
		return acme_hook(argc, argv);
	privileges_hide();
	if (sodium_init() < 0)
		BUG("libsodium does not work here");
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return EXIT_SUCCESS;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("lanyard %s\n", LANYARD_VERSION);
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 2, argv + 2);
	fprintf(stderr, "lanyard: unknown %s %s; see lanyard --help\n",
		argv[1][0] == '-' ? "option" : "command", argv[1]);
	return EXIT_USAGE;
}
