/*
 * process: the OpenVPN server, a process of its own that connects to a socket of ours and is driven
 * through it. It ends when we do. The loop's thread.
 */
#pragma once

#include "agents/loop.h"
#include "agents/openvpn/management.h"

#include "lib/err.h"

struct vpn_process;

struct vpn_process_options {
	struct loop *loop;
	const char *dir;   /* with its configuration (config.h) */
	const char *netns; /* NULL: our own */
	void *context;
	void (*happened)(void *context, const struct management_event *event);
	void (*ended)(void *context, int status); /* of waitpid; once */
};

err_t vpn_process_start(struct vpn_process **process, const struct vpn_process_options *options,
	struct fault *fault) MUST_CHECK;

/* Kills it if it still runs. NULL is fine. */
void vpn_process_destroy(struct vpn_process *process);

/* Sends a command; the format has its newline. */
void vpn_process_say(struct vpn_process *process, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Asks it to end. */
void vpn_process_stop(struct vpn_process *process);
