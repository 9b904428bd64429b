/* lanyard connect: connects an interface to a server by its URL alone: a vpn-ws server, or a node
 * that takes Basic credentials or client certificates. */
#include "agents/command.h"
#include "agents/foreground.h"
#include "agents/options.h"
#include "agents/login.h"
#include "agents/state.h"

#include "lib/mem.h"

#include <sodium.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CREDENTIALS "LANYARD_CREDENTIALS"
#define MTU	    1486 /* vpn-ws-client cuts frames over 1500 bytes with their header */
#define MTU_MIN	    68
#define MTU_MAX	    65521

struct connect {
	struct foreground foreground;
	const char *url, *credentials_file, *ca, *mtu, *ipv4, *ipv6;
	char *ca_pem;
	struct attachment attachment;
};

static const char details[] =
	"TAP is the interface: it is made, or taken if it exists and no program has it. URL is "
	"wss://HOST[:PORT]/PATH\n"
	"or ws://. A user and password for the server come from the file of --credentials, from "
	"the environment\n"
	"variable " CREDENTIALS ", or stand in the URL (wss://USER:PASSWORD@HOST/, %XX for special "
	"characters), where\n"
	"they are overwritten at once. Runs in the foreground and connects again whenever the "
	"connection is lost.\n"
	"Needs root and /dev/net/tun. SIGTERM, SIGINT and lanyard down end it.\n\n" FOREGROUND_HELP
	"Exit status: 0 after a stop that was asked for, 1 it can't start or go on, 2 wrong "
	"usage.\n";

static err_t read_url(struct connect *connect, struct fault *fault)
{
	struct attachment *attachment = &connect->attachment;
	char text[URL_MAX], credentials[LOGIN_MAX], in_url[LOGIN_MAX];
	err_t err;

	if ((err = login_take_from_url((char *)connect->url, text, sizeof(text), in_url, fault)) !=
			OK ||
		(err = login_read("USER:PASSWORD", connect->credentials_file, CREDENTIALS,
			 credentials, fault)) != OK)
		return err;
	if (in_url[0] != '\0' && credentials[0] != '\0')
		err = fault_set(fault, ERR_INVALID_ARGUMENT, "url",
			"credentials in the URL and elsewhere: expected them once");
	else if (in_url[0] != '\0' || credentials[0] != '\0')
		login_basic(in_url[0] != '\0' ? in_url : credentials, attachment->authorization);
	sodium_memzero(credentials, sizeof(credentials));
	sodium_memzero(in_url, sizeof(in_url));
	if (err != OK)
		return err;
	attachment->n_urls = 1;
	return url_parse(
		&attachment->urls[0], strncmp(text, "ws:", 3) == 0 ? "ws" : "wss", text, fault);
}

static err_t read_mtu(struct connect *connect, struct fault *fault)
{
	char *end = "";
	long mtu = connect->mtu != NULL ? strtol(connect->mtu, &end, 10) : MTU;

	if (*end != '\0' || mtu < MTU_MIN || mtu > MTU_MAX)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "mtu", "--mtu: expected %d to %d",
			MTU_MIN, MTU_MAX);
	connect->attachment.mtu = (uint32_t)mtu;
	return OK;
}

static err_t read_addresses(struct connect *connect, struct fault *fault)
{
	if (connect->ipv4 != NULL &&
		!address_read(&connect->attachment.ipv4, AF_INET, connect->ipv4))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "ipv4",
			"--ipv4: expected an address such as 192.168.173.2/24");
	if (connect->ipv6 != NULL &&
		!address_read(&connect->attachment.ipv6, AF_INET6, connect->ipv6))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "ipv6",
			"--ipv6: expected an address such as fd00::2/64");
	return OK;
}

static err_t read_all(struct connect *connect, struct fault *fault)
{
	err_t err;

	if ((err = read_url(connect, fault)) != OK || (err = read_mtu(connect, fault)) != OK ||
		(err = read_addresses(connect, fault)) != OK)
		return err;
	if (connect->ca != NULL &&
		(err = state_read_file(connect->ca, STATE_CA_MAX, &connect->ca_pem, fault)) != OK)
		return err;
	return state_make_folder(connect->foreground.state, fault);
}

int command_connect(int argc, char **argv)
{
	struct connect connect = { .foreground = { .state = COMMAND_STATE, .attach = true } };
	const struct option_row rows[] = {
		{ "credentials", "FILE", "read USER:PASSWORD for the server from FILE",
			&connect.credentials_file, NULL },
		{ "bridge", NULL, "others are behind the interface (X-vpn-ws-bridge: on)", NULL,
			&connect.foreground.has_stations },
		{ "ca", "FILE", "trust these certificates (PEM) beside the system's", &connect.ca,
			NULL },
		{ "no-verify", NULL, "trust any server", NULL, &connect.foreground.trust_anybody },
		{ "ipv4", "ADDRESS/LEN", "give the interface this IPv4 address", &connect.ipv4,
			NULL },
		{ "ipv6", "ADDRESS/LEN", "give the interface this IPv6 address", &connect.ipv6,
			NULL },
		{ "mtu", "BYTES", "of the interface (default 1486)", &connect.mtu, NULL },
		FOREGROUND_ROWS(connect.foreground),
		{ NULL, NULL, NULL, NULL, NULL },
	};
	const struct option_word words[] = { { "TAP", &connect.foreground.interface },
		{ "URL", &connect.url }, { NULL, NULL } };
	const struct option_table table = { "connect",
		"Connects an interface to a vpn-ws server, or to a node, by its URL.", details,
		words, rows };
	struct fault fault = { 0 };
	int status;

	if (!options_parse(&table, argc, argv, &status))
		return status;
	if (read_all(&connect, &fault) == OK) {
		connect.foreground.attachment = &connect.attachment;
		connect.foreground.ca_pem = connect.ca_pem;
		status = foreground_run(&connect.foreground, table.command);
	} else {
		fprintf(stderr, "lanyard connect: %s\n", fault.detail);
		status = EXIT_FAILURE;
	}
	free(connect.ca_pem);
	sodium_memzero(&connect.attachment, sizeof(connect.attachment));
	return status;
}
