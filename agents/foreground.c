/* foreground: see foreground.h. */
#include "agents/foreground.h"

#include "agents/control.h"
#include "agents/netns.h"
#include "agents/signals.h"
#include "agents/state.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/privileges.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_S     60
#define TIMEOUT_MAX_S 86400

/* The process while it runs. */
struct process {
	struct foreground *options;
	struct privileges privileges;
	struct proxy proxy;
	struct hooks *hooks;
	struct tls_trust *trust;
	struct congestion *congestion;
	struct loop *loop;
	struct tap tap;
	struct link *link;
	struct agent *agent;
	struct control *control;
	struct signals signals;
	int exit_status;
};

/* ---- what happens while it runs ---- */

/* By a signal or by lanyard down. */
static void on_down(void *context)
{
	struct process *process = context;

	agent_stop(process->agent);
}

static char *on_status(void *context)
{
	struct process *process = context;

	return agent_status(process->agent);
}

static void on_stopped(void *context)
{
	struct process *process = context;

	loop_stop(process->loop);
}

static void on_failed(void *context)
{
	struct process *process = context;

	process->exit_status = EXIT_FAILURE;
	loop_stop(process->loop);
}

/* ---- start ---- */

static err_t read_timeout(const char *text, unsigned *timeout_s, struct fault *fault)
{
	char *end;
	long s = strtol(text, &end, 10);

	if (*end != '\0' || end == text || s < 1 || s > TIMEOUT_MAX_S)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "exec-timeout",
			"--exec-timeout: expected 1 to %d seconds", TIMEOUT_MAX_S);
	*timeout_s = (unsigned)s;
	return OK;
}

static err_t start_hooks(struct process *process, struct fault *fault)
{
	struct hooks_options options = { .netns = process->options->netns, .timeout_s = TIMEOUT_S };
	err_t err = OK;

	memcpy(options.commands, process->options->commands, sizeof(options.commands));
	if (process->options->timeout != NULL)
		err = read_timeout(process->options->timeout, &options.timeout_s, fault);
	return err != OK ? err : hooks_create(&process->hooks, &options, fault);
}

/* Reads what the options say, and all files that another user may not be able to read. */
static err_t read_options(struct process *process, struct fault *fault)
{
	struct foreground *options = process->options;
	AUTO_FREE char *certificate = NULL, *key = NULL;
	err_t err;

	if ((err = tap_check_name(options->interface, fault)) != OK ||
		(err = privileges_find(&process->privileges,
			 options->user != NULL ? options->user : "",
			 options->group != NULL ? options->group : "", fault)) != OK ||
		(err = proxy_read(&process->proxy, options->proxy_url, options->proxy_credentials,
			 fault)) != OK ||
		(err = congestion_create(&process->congestion,
			 options->congestion != NULL ? options->congestion : CONGESTION_AUTO,
			 fault)) != OK ||
		(err = tls_trust_create(&process->trust, options->ca_pem, fault)) != OK)
		return err;
	/* Later the portal may bring new addresses, and those of a bridge go at the end. */
	process->privileges.network = options->device != NULL || options->join != NULL;
	if (options->trust_anybody)
		tls_trust_anybody(process->trust);
	if ((options->certificate == NULL) != (options->key == NULL))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "", "--crt and --key: expected both");
	if (options->certificate == NULL)
		return OK;
	if ((err = state_read_file(options->certificate, STATE_CA_MAX, &certificate, fault)) !=
			OK ||
		(err = state_read_file(options->key, STATE_CA_MAX, &key, fault)) != OK)
		return err;
	err = tls_trust_present(process->trust, certificate, key, fault);
	explicit_bzero(key, strlen(key));
	return err;
}

/* Makes the interface, and what sets it up, in its network namespace. */
static err_t make_interface(struct process *process, struct fault *fault)
{
	struct foreground *options = process->options;
	int home;
	err_t err = netns_enter(options->netns, &home, fault);

	if (err != OK)
		return err;
	err = tap_open(&process->tap, options->interface, options->attach, fault);
	if (err == OK && (err = link_open(&process->link, options->interface, fault)) != OK)
		tap_close(&process->tap);
	netns_leave(home);
	return err;
}

static err_t start_agent(struct process *process, struct fault *fault)
{
	struct foreground *options = process->options;
	err_t err = OK;

	if (options->join != NULL)
		err = link_join(process->link, options->join, fault);
	if (options->attachment != NULL) {
		options->attachment->own_mac = true;
		memcpy(options->attachment->mac, process->tap.mac, sizeof(process->tap.mac));
	}
	if (err != OK)
		return err;
	return agent_create(&process->agent,
		&(struct agent_options){
			.loop = process->loop,
			.device = options->device,
			.attachment = options->attachment,
			.bridge = options->has_stations ||
				  (options->device == NULL && options->join != NULL),
			.trust = process->trust,
			.congestion = process->congestion,
			.proxy = &process->proxy,
			.hooks = process->hooks,
			.network = options->network,
			.netns = options->netns,
			.tap = &process->tap,
			.link = process->link,
			.context = process,
			.stopped = on_stopped,
			.failed = on_failed,
		},
		fault);
}

/* ---- the process ---- */

static void run_loop(struct process *process)
{
	signals_open(&process->signals, process->loop, on_down, process);
	log_info("started", "interface=%s version=" LANYARD_VERSION, process->tap.name);
	loop_run(process->loop);
	log_info("stopped", "interface=%s", process->tap.name);
	signals_close(&process->signals);
}

/* From the interface on, on a loop. */
static err_t run_interface(struct process *process, struct fault *fault)
{
	struct foreground *options = process->options;
	err_t err;

	if ((err = control_open(&process->control,
		     &(struct control_options){ process->loop, CONTROL_UP, options->state,
			     options->interface, process, on_status, on_down },
		     fault)) != OK)
		return err;
	if ((err = make_interface(process, fault)) != OK)
		goto err_control;
	if ((err = start_agent(process, fault)) != OK)
		goto err_interface;
	if ((err = privileges_drop(&process->privileges, fault)) == OK)
		run_loop(process);

	agent_destroy(process->agent);
err_interface:
	link_close(process->link);
	tap_close(&process->tap);
err_control:
	control_close(process->control); /* after the interface: lanyard down waits for this */
	return err;
}

static err_t run(struct process *process, struct fault *fault)
{
	err_t err;

	signals_block();
	if ((err = read_options(process, fault)) != OK || (err = start_hooks(process, fault)) != OK)
		goto err_options;
	process->loop = loop_create();
	if (process->hooks != NULL)
		hooks_listen(process->hooks, process->loop);
	err = run_interface(process, fault);

	hooks_destroy(process->hooks);
	loop_destroy(process->loop);
err_options:
	tls_trust_destroy(process->trust);
	congestion_destroy(process->congestion);
	return err;
}

int foreground_run(struct foreground *foreground, const char *command)
{
	struct process process = { .options = foreground };
	struct fault fault = { 0 };
	err_t err;

	log_open("agent", LOG_LEVEL_INFO);
	err = run(&process, &fault);
	explicit_bzero(&process.proxy, sizeof(process.proxy));
	if (err == OK)
		return process.exit_status;
	fprintf(stderr, "lanyard %s: %s\n", command, fault.detail);
	return EXIT_FAILURE;
}
