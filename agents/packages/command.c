/* lanyard packages: keeps this device at the package that its tenant wants it to have, in the
 * foreground, until it is told to stop. */
#include "agents/command.h"
#include "agents/control.h"
#include "agents/options.h"
#include "agents/packages/packages.h"
#include "agents/signals.h"
#include "agents/state.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/tls.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char details[] =
	"Asks the portal what the device should have, as often as it says, and believes only what "
	"its tenant has\n"
	"signed. A package is a folder STATE/packages/NUMBER; STATE/packages/current leads to the "
	"one in use, and\n"
	"COMMAND, run by /bin/sh -c, applies it: restarts OpenVPN, or lanyard up --settings "
	".../current/agent.json.\n"
	"It gets LANYARD_PACKAGE (the folder), LANYARD_PACKAGE_NUMBER (0: there is none) and "
	"LANYARD_REASON (apply,\n"
	"return). When it fails or takes too long, or the portal is not reached afterwards, the "
	"package before is\n"
	"current again and COMMAND applies that. The portal is told how it went. The device has to "
	"be enrolled.\n\n"
	"Exit status: 0 after a stop that was asked for, or with --once the package that is wanted "
	"is in use;\n"
	"1 it is not, or can't start; 2 wrong usage.\n";

#define SECONDS_MAX 86400

struct command {
	const char *state, *trust, *timeout, *settle, *test, *proxy_url, *proxy_credentials;
	struct packages_options options;
	struct journal journal;
	struct device device;
	struct proxy proxy;
	char *dir;
	int lock; /* held while it runs */
	struct packages *packages;
	int status;
	struct fault fault;
};

/* ---- what is asked for ---- */

static err_t read_seconds(const char *name, const char *text, unsigned *s, struct fault *fault)
{
	char *end;
	long value;

	if (text == NULL)
		return OK;
	value = strtol(text, &end, 10);
	if (*end != '\0' || end == text || value < 0 || value > SECONDS_MAX)
		return fault_set(fault, ERR_INVALID_ARGUMENT, name,
			"--%s: expected 0 to %d seconds", name, SECONDS_MAX);
	*s = (unsigned)value;
	return OK;
}

/* Two of them would undo each other's work. */
static err_t lock(struct command *command, struct fault *fault)
{
	err_t err = state_lock(command->dir, &command->lock, fault);

	if (err == ERR_ALREADY_EXISTS)
		return fault_set(fault, ERR_ALREADY_EXISTS, "",
			"another lanyard packages runs with the state folder %.150s",
			command->state);
	return err;
}

/* A trust that is given counts until the first package is in use, whose roots follow it. */
static err_t read_state(struct command *command, struct fault *fault)
{
	err_t err;

	if ((err = state_load(command->state, &command->device, fault)) != OK)
		return err;
	command->dir = xasprintf("%s/packages", command->state);
	if ((err = state_make_folder(command->dir, fault)) != OK ||
		(err = lock(command, fault)) != OK ||
		(err = journal_load(&command->journal, command->dir, fault)) != OK)
		return err;
	if (command->trust == NULL || command->journal.roots != NULL)
		return OK;
	return state_read_file(command->trust, STATE_CA_MAX, &command->journal.roots, fault);
}

static err_t read_options(struct command *command, struct fault *fault)
{
	struct trial_options *trial = &command->options.trial;
	err_t err;

	if ((err = read_seconds("apply-timeout", command->timeout, &trial->command_s, fault)) !=
			OK ||
		(err = read_seconds("settle", command->settle, &trial->settle_s, fault)) != OK ||
		(err = read_seconds("test-timeout", command->test, &trial->test_s, fault)) != OK ||
		(err = proxy_read(&command->proxy, command->proxy_url, command->proxy_credentials,
			 fault)) != OK)
		return err;
	return read_state(command, fault);
}

/* ---- the process ---- */

static void on_stop(void *context)
{
	struct command *command = context;

	loop_stop(command->options.trial.loop);
}

static char *on_status(void *context)
{
	const struct command *command = context;

	return packages_status(command->packages);
}

static void on_done(void *context, const char *why)
{
	struct command *command = context;

	if (why != NULL) {
		command->status = EXIT_FAILURE;
		snprintf(command->fault.detail, sizeof(command->fault.detail), "%s", why);
	}
	loop_stop(command->options.trial.loop);
}

static void run(struct command *command)
{
	struct packages_options *options = &command->options;
	struct trial_options *trial = &options->trial;
	struct control *control = NULL;
	struct signals signals;

	trial->loop = loop_create();
	trial->fetcher = fetcher_create(trial->loop, &command->proxy);
	trial->device = &command->device;
	trial->dir = command->dir;
	trial->journal = &command->journal;
	options->context = command;
	options->done = on_done;
	signals_open(&signals, trial->loop, on_stop, command);
	if (control_open(&control,
		    &(struct control_options){ trial->loop, CONTROL_PACKAGES, command->state,
			    CONTROL_ONLY, command, on_status, on_stop },
		    &command->fault) == OK) {
		command->packages = packages_create(options);
		log_info("started", "state=%s version=" LANYARD_VERSION, log_value(command->state));
		loop_run(trial->loop);
		log_info("stopped", "state=%s", log_value(command->state));
		packages_destroy(command->packages);
	} else {
		command->status = EXIT_FAILURE;
	}
	signals_close(&signals);
	control_close(control);
	fetcher_destroy(trial->fetcher);
	loop_destroy(trial->loop);
}

static void start(struct command *command)
{
	signals_block();
	tls_start();
	if (read_options(command, &command->fault) == OK)
		run(command);
	else
		command->status = EXIT_FAILURE;
	journal_finish(&command->journal);
	device_finish(&command->device);
	explicit_bzero(&command->proxy, sizeof(command->proxy));
	free(command->dir);
	if (command->lock >= 0)
		close(command->lock);
}

int command_packages(int argc, char **argv)
{
	struct command command = { .state = COMMAND_STATE,
		.lock = -1,
		.options.trial = { .command_s = 120, .settle_s = 5, .test_s = 60 } };
	struct packages_options *options = &command.options;
	const struct option_row rows[] = {
		{ "apply-command", "COMMAND", "run when another package is current",
			&options->trial.command, NULL },
		{ "apply-timeout", "SECONDS", "it failed if it takes longer (default 120)",
			&command.timeout, NULL },
		{ "settle", "SECONDS", "from its end to the first test (default 5)",
			&command.settle, NULL },
		{ "test-timeout", "SECONDS",
			"it failed if the portal is not reached for so long (default 60)",
			&command.test, NULL },
		{ "once", NULL, "end when there is nothing more to do now", NULL, &options->once },
		{ "trust", "FILE",
			"the tenant's roots (PEM); without it those that the portal tells first",
			&command.trust, NULL },
		{ "proxy", "URL", "through http://HOST:PORT or socks5://HOST:PORT",
			&command.proxy_url, NULL },
		{ "proxy-credentials", "FILE", "read the proxy's USER:PASSWORD from FILE",
			&command.proxy_credentials, NULL },
		{ "state", "DIR", "state folder (default " COMMAND_STATE ")", &command.state,
			NULL },
		{ NULL, NULL, NULL, NULL, NULL },
	};
	const struct option_table table = { "packages",
		"Keeps this device at the package that its tenant wants it to have.", details,
		OPTION_NO_WORDS, rows };
	int status;

	if (!options_parse(&table, argc, argv, &status))
		return status;
	log_open("agent", LOG_LEVEL_INFO);
	start(&command);
	if (command.status != EXIT_SUCCESS)
		fprintf(stderr, "lanyard packages: %s\n", command.fault.detail);
	return command.status;
}
