/* vpn_server: see vpn_server.h. */
#include "agents/vpn_server.h"

#include "agents/proxy.h"
#include "agents/signals.h"

#include "lib/log.h"
#include "lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void vpn_server_finished(void *server, bool well)
{
	struct vpn_server *finished = server;

	finished->exit_status = well ? EXIT_SUCCESS : EXIT_FAILURE;
	loop_stop(finished->loop);
}

static void run_loop(struct vpn_server *server)
{
	struct signals signals;

	signals_open(&signals, server->loop, server->stop, server->context);
	log_info("started", "version=" LANYARD_VERSION);
	loop_run(server->loop);
	log_info("stopped", "status=%d", server->exit_status);
	signals_close(&signals);
	server->destroy(server->context);
}

static err_t run_controlled(struct vpn_server *server, struct fault *fault)
{
	struct control *control;
	err_t err = control_open(&control,
		&(struct control_options){ server->loop, server->of, server->state,
			server->interface, server->context, server->status, server->stop },
		fault);

	if (err != OK)
		return err;
	if ((err = server->start(server->context, fault)) == OK)
		run_loop(server);
	control_close(control); /* last of all: lanyard down waits for this */
	return err;
}

static err_t run(struct vpn_server *server, struct fault *fault)
{
	struct proxy proxy;
	err_t err;

	signals_block();
	if ((err = tap_check_name(server->interface, fault)) != OK ||
		(err = tap_check_name(server->uplink, fault)) != OK ||
		(err = proxy_read(&proxy, server->proxy_url, server->proxy_credentials, fault)) !=
			OK ||
		(err = state_load(server->state, &server->device, fault)) != OK)
		return err;
	server->loop = loop_create();
	server->fetcher = fetcher_create(server->loop, &proxy);
	err = run_controlled(server, fault);

	fetcher_destroy(server->fetcher);
	loop_destroy(server->loop);
	device_finish(&server->device);
	explicit_bzero(&proxy, sizeof(proxy));
	return err;
}

int vpn_server_run(struct vpn_server *server, const char *command)
{
	struct fault fault = { 0 };

	log_open("agent", LOG_LEVEL_INFO);
	if (run(server, &fault) == OK)
		return server->exit_status;
	fprintf(stderr, "lanyard %s: %s\n", command, fault.detail);
	return EXIT_FAILURE;
}
