/* lanyard up: connects to a network and stays connected, in the foreground, until it is told to
 * stop. */
#include "agents/agent.h"
#include "agents/command.h"
#include "agents/control.h"
#include "agents/netns.h"
#include "agents/options.h"

#include "lib/log.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct up {
	const char *network;
	const char *interface;
	const char *netns;
	const char *state;
	struct device device;
	struct loop *loop;
	struct tap tap;
	struct link *link;
	struct agent *agent;
	struct control *control;
	struct loop_watch signals;
	int exit_status;
};

static const char details[] = "Runs in the foreground: let a supervisor run it. Makes a TAP "
			      "interface, gives it the device's\n"
			      "addresses, and connects it to the network; connects again whenever "
			      "that is lost. Needs root and\n"
			      "/dev/net/tun. The device has to be enrolled (lanyard enroll). "
			      "SIGTERM, SIGINT and lanyard down end it\n"
			      "and remove the interface.\n\n"
			      "Exit status: 0 after a stop that was asked for, 1 it can't start or "
			      "go on, 2 wrong usage.\n";

/* ---- what happens while it runs ---- */

static void on_signal(void *context, uint32_t events)
{
	struct up *up = context;
	struct signalfd_siginfo info;

	(void)events;
	if (read(up->signals.fd, &info, sizeof(info)) == sizeof(info))
		agent_stop(up->agent);
}

static void on_down(void *context)
{
	struct up *up = context;

	agent_stop(up->agent);
}

static char *on_status(void *context)
{
	struct up *up = context;

	return agent_status(up->agent);
}

static void on_stopped(void *context)
{
	struct up *up = context;

	loop_stop(up->loop);
}

static void on_failed(void *context)
{
	struct up *up = context;

	up->exit_status = EXIT_FAILURE;
	loop_stop(up->loop);
}

/* ---- start ---- */

static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigprocmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Makes the interface, and what sets it up, in its network namespace. */
static err_t make_interface(struct up *up, struct fault *fault)
{
	int home;
	err_t err = netns_enter(up->netns, &home, fault);

	if (err != OK)
		return err;
	err = tap_open(&up->tap, up->interface, false, fault);
	if (err == OK && (err = link_open(&up->link, up->interface, fault)) != OK)
		tap_close(&up->tap);
	netns_leave(home);
	return err;
}

static err_t start_agent(struct up *up, struct fault *fault)
{
	return agent_create(&up->agent,
		&(struct agent_options){
			.loop = up->loop,
			.device = &up->device,
			.network = up->network,
			.netns = up->netns,
			.tap = &up->tap,
			.link = up->link,
			.context = up,
			.stopped = on_stopped,
			.failed = on_failed,
		},
		fault);
}

static err_t run(struct up *up, struct fault *fault)
{
	sigset_t set;
	err_t err;

	block_signals(&set);
	if ((err = tap_check_name(up->interface, fault)) != OK ||
		(err = state_load(up->state, &up->device, fault)) != OK)
		return err;
	up->loop = loop_create();
	if ((err = control_open(&up->control,
		     &(struct control_options){
			     up->loop, up->state, up->interface, up, on_status, on_down },
		     fault)) != OK)
		goto err_device;
	if ((err = make_interface(up, fault)) != OK)
		goto err_control;
	if ((err = start_agent(up, fault)) != OK)
		goto err_interface;
	up->signals = (struct loop_watch){ signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
		on_signal, up };
	loop_add(up->loop, &up->signals, EPOLLIN);
	log_info("started", "interface=%s version=" LANYARD_VERSION, up->interface);
	loop_run(up->loop);
	log_info("stopped", "interface=%s", up->interface);

	close(up->signals.fd);
	agent_destroy(up->agent);
err_interface:
	link_close(up->link);
	tap_close(&up->tap);
err_control:
	control_close(up->control); /* after the interface: lanyard down waits for this */
err_device:
	loop_destroy(up->loop);
	device_finish(&up->device);
	return err;
}

int command_up(int argc, char **argv)
{
	struct up up = { .interface = "lanyard0", .state = COMMAND_STATE };
	const struct option_row rows[] = {
		{ "network", "NAME", "which of the device's networks (default: the only one)",
			&up.network, NULL },
		{ "interface", "IFNAME", "name of the TAP interface (default lanyard0)",
			&up.interface, NULL },
		{ "netns", "NAME", "make the interface in this network namespace", &up.netns,
			NULL },
		{ "state", "DIR", "state folder (default " COMMAND_STATE ")", &up.state, NULL },
		{ NULL, NULL, NULL, NULL, NULL },
	};
	const struct option_table table = { "up", "Connects to a network and stays connected.",
		details, NULL, NULL, rows };
	struct fault fault = { 0 };
	int status;

	if (!options_parse(&table, argc, argv, &status))
		return status;
	log_open("agent", LOG_LEVEL_INFO);
	if (run(&up, &fault) == OK)
		return up.exit_status;
	fprintf(stderr, "lanyard up: %s\n", fault.detail);
	return EXIT_FAILURE;
}
