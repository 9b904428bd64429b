/* lanyard expose: gives this device a name with a certificate, and lets visitors in, in the
 * foreground, until it is told to stop. */
#include "agents/command.h"
#include "agents/control.h"
#include "agents/expose/certificate.h"
#include "agents/expose/expose.h"
#include "agents/expose/label.h"
#include "agents/expose/machine.h"
#include "agents/options.h"
#include "agents/signals.h"

#include "lib/endpoint.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/tls_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const char details[] =
	"TARGET is the local service: a port of this machine, ADDRESS:PORT, or the path of a "
	"socket. It speaks\n"
	"https with the certificate that is kept in STATE/names/NAME (fullchain.pem, key.pem); or "
	"plain http,\n"
	"with --tls. The device has to be enrolled (lanyard enroll), and uacme be installed.\n\n"
	"Runs in the foreground: let a supervisor run it. Registers the name of the device's MAC "
	"address, then\n"
	"NAME; gets certificates and renews them; opens a tunnel for visitors. Run it once for "
	"each NAME.\n"
	"--reload runs by /bin/sh -c with LANYARD_NAME, _CERTIFICATE and _KEY in its "
	"environment.\n\n"
	"Exit status: 0 after a stop that was asked for, 1 it can't start, 2 wrong usage.\n";

struct command {
	struct expose_options options;
	const char *target, *state, *interface, *proxy_url, *proxy_credentials, *congestion;
	char target_text[64], label[LABEL_SIZE], interface_name[IF_NAMESIZE];
	struct device device;
	struct proxy proxy;
	struct loop *loop;
	struct expose *expose;
	struct control *control;
};

/* ---- what is asked for ---- */

static err_t read_target(struct command *command, struct fault *fault)
{
	const char *text = command->target;
	struct sockaddr_storage address;
	socklen_t len;

	if (*text != '\0' && strspn(text, "0123456789") == strlen(text) && strlen(text) <= 5) {
		snprintf(command->target_text, sizeof(command->target_text), "127.0.0.1:%s", text);
		text = command->target_text;
	}
	command->options.target = text;
	if (endpoint_parse_any(text, &address, &len) != OK)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "target",
			"%.60s: expected a port, ADDRESS:PORT or the path of a socket",
			command->target);
	return OK;
}

static err_t read_name(struct command *command, struct fault *fault)
{
	struct expose_options *options = &command->options;

	if (options->name != NULL && !label_read(options->name, command->label))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "name",
			"--name: expected " LABEL_RULE ", without the zone");
	if (options->name != NULL)
		options->name = command->label;
	if (options->listen != NULL && !options->tls)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "listen",
			"--listen is for --tls: without it the service listens for itself");
	if (options->common.pkcs11 != NULL && !tls_token_is(options->common.pkcs11))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "pkcs11",
			"--pkcs11: expected a URI, "
			"pkcs11:token=LABEL;object=LABEL?pin-source=file:PATH");
	if (strncmp(options->common.acme, "https://", 8) != 0)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "acme",
			"--acme: expected the https URL of an authority's directory");
	return OK;
}

/* What tells this process apart: the name that was given, else that of the MAC address. */
static err_t read_interface(struct command *command, struct fault *fault)
{
	struct expose_options *options = &command->options;
	err_t err = OK;

	if (options->common.interface == NULL) {
		err = machine_interface(command->interface_name, fault);
		options->common.interface = command->interface_name;
	}
	if (options->name != NULL)
		return OK;
	return err != OK ? err : machine_label(options->common.interface, command->label, fault);
}

/* Links lead here from other folders. */
static err_t read_state(struct command *command, struct fault *fault)
{
	char *path;
	err_t err = state_load(command->state, &command->device, fault);

	if (err != OK)
		return err;
	if ((path = realpath(command->state, NULL)) == NULL)
		return fault_set(fault, ERR_INTERNAL, "state", "%.150s: %m", command->state);
	command->options.common.state = path;
	return OK;
}

static err_t read_options(struct command *command, struct fault *fault)
{
	struct exposure_common *common = &command->options.common;
	err_t err;

	if ((err = read_target(command, fault)) != OK || (err = read_name(command, fault)) != OK ||
		(err = read_state(command, fault)) != OK ||
		(err = read_interface(command, fault)) != OK ||
		(err = proxy_read(&command->proxy, command->proxy_url, command->proxy_credentials,
			 fault)) != OK ||
		(err = congestion_create(&common->congestion,
			 command->congestion != NULL ? command->congestion : CONGESTION_AUTO,
			 fault)) != OK)
		return err;
	if (common->pkcs11 != NULL && (err = tls_token_check(common->pkcs11, fault)) != OK)
		return err;
	return tls_trust_create(&common->trust, command->device.ca_pem, fault);
}

/* ---- the process ---- */

static void on_stop(void *context)
{
	struct command *command = context;

	loop_stop(command->loop);
}

static char *on_status(void *context)
{
	struct command *command = context;

	return expose_status(command->expose);
}

static void run_loop(struct command *command)
{
	struct signals signals;

	signals_open(&signals, command->loop, on_stop, command);
	log_info("started", "target=%s version=" LANYARD_VERSION,
		log_value(command->options.target));
	loop_run(command->loop);
	log_info("stopped", "target=%s", log_value(command->options.target));
	signals_close(&signals);
}

static err_t run(struct command *command, struct fault *fault)
{
	struct exposure_common *common = &command->options.common;
	err_t err = control_open(&command->control,
		&(struct control_options){ command->loop, CONTROL_EXPOSE, common->state,
			command->label, command, on_status, on_stop },
		fault);

	if (err != OK)
		return err;
	if ((err = expose_create(&command->expose, &command->options, fault)) == OK) {
		run_loop(command);
		expose_destroy(command->expose);
	}
	control_close(command->control); /* last of all: lanyard down waits for this */
	return err;
}

static err_t start(struct command *command, struct fault *fault)
{
	struct exposure_common *common = &command->options.common;
	err_t err;

	signals_block();
	tls_start();
	if ((err = read_options(command, fault)) == OK) {
		command->loop = loop_create();
		common->loop = command->loop;
		common->device = &command->device;
		common->proxy = &command->proxy;
		common->fetcher = fetcher_create(command->loop, &command->proxy);
		err = run(command, fault);
		fetcher_destroy(common->fetcher);
		loop_destroy(command->loop);
	}
	tls_trust_destroy(common->trust);
	congestion_destroy(common->congestion);
	device_finish(&command->device);
	explicit_bzero(&command->proxy, sizeof(command->proxy));
	free((char *)(uintptr_t)common->state);
	return err;
}

int command_expose(int argc, char **argv)
{
	struct command command = { .state = COMMAND_STATE,
		.options.common.acme = CERTIFICATE_ACME };
	struct expose_options *options = &command.options;
	struct exposure_common *common = &options->common;
	const struct option_row rows[] = {
		{ "name", "NAME", "the friendly name, one label (default: see --page)",
			&options->name, NULL },
		{ "zone", "ZONE", "register in this zone of the tenant", &common->zone, NULL },
		{ "interface", "IFNAME",
			"whose MAC and local addresses (default: of the default route)",
			&common->interface, NULL },
		{ "tls", NULL, "end TLS here and pass plain bytes to TARGET", NULL, &options->tls },
		{ "listen", "ADDR:PORT", "with --tls: serve https in the local network too",
			&options->listen, NULL },
		{ "page", "ADDR:PORT", "serve the page for the first name there, e.g. [::]:80",
			&options->page, NULL },
		{ "proxy-protocol", NULL, "tell TARGET the visitor's address (PROXY protocol v2)",
			NULL, &common->proxy_protocol },
		{ "acme", "URL", "directory of the authority (default: Let's Encrypt)",
			&common->acme, NULL },
		{ "acme-ca", "FILE", "trust these certificates (PEM) of the authority's server",
			&common->acme_ca, NULL },
		{ "pkcs11", "URI", "the certificates' key is this one in a PKCS#11 token",
			&common->pkcs11, NULL },
		{ "reload", "COMMAND", "run when there is a new certificate", &common->reload,
			NULL },
		{ "proxy", "URL", "through http://HOST:PORT or socks5://HOST:PORT",
			&command.proxy_url, NULL },
		{ "proxy-credentials", "FILE", "read the proxy's USER:PASSWORD from FILE",
			&command.proxy_credentials, NULL },
		{ "congestion", "NAME", "congestion control of the kernel (default: auto)",
			&command.congestion, NULL },
		{ "state", "DIR", "state folder (default " COMMAND_STATE ")", &command.state,
			NULL },
		{ NULL, NULL, NULL, NULL, NULL },
	};
	const struct option_word words[] = { { "TARGET", &command.target }, { NULL, NULL } };
	const struct option_table table = { "expose",
		"Gives this device a name, a certificate and a way in.", details, words, rows };
	struct fault fault = { 0 };
	int status;

	if (!options_parse(&table, argc, argv, &status))
		return status;
	log_open("agent", LOG_LEVEL_INFO);
	if (start(&command, &fault) == OK)
		return EXIT_SUCCESS;
	fprintf(stderr, "lanyard expose: %s\n", fault.detail);
	return EXIT_FAILURE;
}
