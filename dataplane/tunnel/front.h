/*
 * front: the doors where browsers come: one for TLS, whose ClientHello tells for whom it is, and
 * one for plain HTTP, which sends them to that. The loop's thread.
 *
 * A name of the node's own ends TLS here, as at LANYARD_LISTEN; one of the API goes on to the
 * gateway, and any other one to the device that holds it, both as they are.
 */
#pragma once

#include "dataplane/tunnel/boxes.h"
#include "lib/config.h"
#include "lib/err.h"

#include <stdbool.h>

#define FRONT_NAMES_MAX 64

struct dataplane;
struct front;

struct front_settings {
	const char *listen, *http_listen; /* "": closed */
	const char *vpn_names, *api_names;
	const char *api; /* ADDRESS:PORT of the gateway */
	bool api_proxy_protocol;
	bool pagekite;
	long idle_s; /* 0: no limit */
	struct boxes_settings boxes;
};

/* Rows of the process's table of settings. */
/* clang-format off */
#define FRONT_CONFIG(s)                                                                            \
	{ "LANYARD_TUNNEL_LISTEN", "", &(s).listen, CONFIG_TEXT,                                   \
		"ADDRESS:PORT where browsers come to the names of devices (443); empty: nowhere", 0, 0 }, \
	{ "LANYARD_TUNNEL_HTTP_LISTEN", "", &(s).http_listen, CONFIG_TEXT,                         \
		"ADDRESS:PORT that sends them from http to https, and passes ACME's http-01 to devices (80); empty: nowhere", 0, 0 }, \
	{ "LANYARD_TUNNEL_VPN_NAMES", "", &(s).vpn_names, CONFIG_TEXT,                             \
		"host names that are this node's own on that port, separated by commas: agents connect there as at LANYARD_LISTEN", 0, 0 }, \
	{ "LANYARD_TUNNEL_API_NAMES", "", &(s).api_names, CONFIG_TEXT,                             \
		"host names that are the API's on that port", 0, 0 },                              \
	{ "LANYARD_TUNNEL_API", "", &(s).api, CONFIG_TEXT,                                         \
		"ADDRESS:PORT of the gateway, which ends TLS for these", 0, 0 },                   \
	{ "LANYARD_TUNNEL_API_PROXY_PROTOCOL", "false", &(s).api_proxy_protocol, CONFIG_BOOL,      \
		"tell it who comes, by PROXY protocol version 2", 0, 0 },                          \
	{ "LANYARD_TUNNEL_PAGEKITE", "false", &(s).pagekite, CONFIG_BOOL,                          \
		"let clients of PageKite link names to that port (LANYARD_DNS_PAGEKITE)", 0, 0 },  \
	{ "LANYARD_TUNNEL_IDLE_S", "3600", &(s).idle_s, CONFIG_INT,                                \
		"a connection that carries nothing for so long ends, before twice of it; 0: never", 0, 1000000 }, \
	{ "LANYARD_TUNNEL_STREAMS", "1024", &(s).boxes.streams, CONFIG_INT,                        \
		"visitors of one name at a time", 1, 1000000 },                                    \
	{ "LANYARD_TUNNEL_RATE", "200", &(s).boxes.rate, CONFIG_INT,                               \
		"new visitors of one name in a second", 1, 1000000 }
/* clang-format on */

err_t front_check(const struct front_settings *settings, bool tls, struct fault *fault) MUST_CHECK;

/* Opens the doors that are set; errors are logged. */
err_t front_open(struct front **out, struct dataplane *dataplane,
	const struct front_settings *settings) MUST_CHECK;
void front_close(struct front *front);	 /* closes them; NULL is fine, and again */
void front_destroy(struct front *front); /* when its streams are gone; NULL is fine */
