/*
 * vpnws: what a node is to those who come from vpn-ws: a door for a proxy that speaks uwsgi, whose
 * clients are ports of one network, the status page, and a TAP of the node's own in that network
 * (docs/vpn-ws.md). The loop's thread, but for what is said otherwise.
 */
#pragma once

#include "lib/config.h"
#include "lib/err.h"
#include "lib/privileges.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct peer_rules;
struct sessions;
struct streams;
struct vpnws;

struct vpnws_settings {
	const char *listen;	  /* address or path; "": no door */
	const char *mode, *group; /* of a unix socket's file */
	const char *tenant, *network;
	bool bridges; /* clients may be bridges */
	bool no_broadcast, no_multicast;
	const char *tuntap; /* the node's own interface; "": none */
	bool bridge;	    /* a network lies behind it */
	const char *exec;
	const char *user, *process_group; /* to go on as */
};

/* Are the settings good, one with another? Any thread. */
err_t vpnws_check(const struct vpnws_settings *settings, struct fault *fault) MUST_CHECK;

struct vpnws_options {
	uv_loop_t *loop;
	struct streams *streams;
	struct sessions *sessions;
	const struct vpnws_settings *settings; /* checked; kept */
};

/* Opens what the settings ask for. Errors are logged; also then it has to be closed. */
err_t vpnws_open(struct vpnws **out, const struct vpnws_options *options) MUST_CHECK;

/* Closes door and interface. Its sessions end with the streams. NULL is fine. */
void vpnws_close(struct vpnws *vpnws);

/* Frees it, when the loop has ended, from any thread. NULL is fine. */
void vpnws_destroy(struct vpnws *vpnws);

/* Runs the operator's command, and then goes on without root's privileges, as far as the settings
 * say so: when the doors and the interface are open. Waits; not the loop's thread. */
err_t vpnws_settle(const struct vpnws_settings *settings) MUST_CHECK;

/* ---- for face.c ---- */

struct sessions *vpnws_sessions(struct vpnws *vpnws);
const struct peer_rules *vpnws_rules(const struct vpnws *vpnws);

/* The status page: the node's own interface and the network's sessions. The caller frees it. */
char *vpnws_list(const struct vpnws *vpnws);

/* Ends a session by its number on the status page; false: there is none. */
bool vpnws_kill(struct vpnws *vpnws, uint32_t number);
