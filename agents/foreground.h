/*
 * foreground: what lanyard up and lanyard connect share: their common options, and the life of the
 * process from the interface to its removal, until a signal or lanyard down ends it.
 */
#pragma once

#include "agents/agent.h"
#include "agents/hooks.h"
#include "agents/options.h"
#include "agents/proxy.h"

#include "lib/err.h"

#include <stdbool.h>

struct foreground {
	/* The common options; interface and state have defaults of their command. */
	const char *interface, *netns, *state, *join;
	const char *certificate, *key;
	const char *proxy_url, *proxy_credentials;
	const char *commands[N_HOOKS], *timeout;
	const char *user, *group;
	const char *congestion; /* NULL: automatic */

	/* Set by the command before foreground_run. */
	const struct device *device;   /* NULL: there is no portal, but an */
	struct attachment *attachment; /* whose MAC becomes the interface's */
	const char *network;	       /* of the device */
	const char *ca_pem;	       /* certificates to trust beside the system's; may be NULL */
	bool trust_anybody;
	bool has_stations; /* others are behind the interface */
	bool attach;	   /* an interface that exists may be taken */
};

#define FOREGROUND_ROWS(f)                                                                         \
	{ "netns", "NAME", "make the interface in this network namespace", &(f).netns, NULL },     \
		{ "join", "INTERFACE", "be one segment with this Linux bridge or LAN interface",   \
			&(f).join, NULL },                                                         \
		{ "exec", "COMMAND", "run when the interface is there, before connecting",         \
			&(f).commands[HOOK_EXEC], NULL },                                          \
		{ "exec-up", "COMMAND", "run when the first session is open",                      \
			&(f).commands[HOOK_UP], NULL },                                            \
		{ "exec-reconnect", "COMMAND", "run when a later session is open",                 \
			&(f).commands[HOOK_RECONNECT], NULL },                                     \
		{ "exec-down", "COMMAND", "run at the end, before the interface goes",             \
			&(f).commands[HOOK_DOWN], NULL },                                          \
		{ "exec-timeout", "SECONDS", "kill a command that takes longer (default 60)",      \
			&(f).timeout, NULL },                                                      \
		{ "user", "NAME", "go on as this user once the interface is there", &(f).user,     \
			NULL },                                                                    \
		{ "group", "NAME", "and as this group (default: the user's own)", &(f).group,      \
			NULL },                                                                    \
		{ "proxy", "URL", "through http://HOST:PORT or socks5://HOST:PORT",                \
			&(f).proxy_url, NULL },                                                    \
		{ "proxy-credentials", "FILE", "read the proxy's USER:PASSWORD from FILE",         \
			&(f).proxy_credentials, NULL },                                            \
		{ "congestion", "NAME", "congestion control of the kernel (default: auto)",        \
			&(f).congestion, NULL },                                                   \
		{ "crt", "FILE", "show the server this certificate (PEM)", &(f).certificate,       \
			NULL },                                                                    \
		{ "key", "FILE", "its private key (PEM)", &(f).key, NULL },                        \
	{                                                                                          \
		"state", "DIR", "state folder (default " COMMAND_STATE ")", &(f).state, NULL       \
	}

/* What each --help says about the hooks. */
#define FOREGROUND_HELP                                                                            \
	"Commands run by /bin/sh -c, with LANYARD_HOOK, _INTERFACE, _MAC, _MTU, _IPV4, _IPV6, "    \
	"_NETWORK, _URL\nand _REASON in their environment. A failed --exec ends the start; the "   \
	"others are only told of.\n\n"

/* Runs it; the exit status of the process, after a message on stderr if it could not start. */
int foreground_run(struct foreground *foreground, const char *command);
