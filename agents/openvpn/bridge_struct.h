/* bridge_struct: what a bridge knows, for bridge.c and bridge_clients.c. */
#pragma once

#include "agents/lan/routed.h"
#include "agents/openvpn/asks.h"
#include "agents/openvpn/bridge.h"
#include "agents/openvpn/clients.h"
#include "agents/openvpn/place.h"
#include "agents/openvpn/process.h"

enum phase {
	BRIDGE_BEGINNING, /* asks the portal how */
	BRIDGE_RUNNING,
	BRIDGE_ENDING,	   /* the server was told to end */
	BRIDGE_CONCLUDING, /* it has ended; the portal is told of its clients */
};

struct bridge {
	struct bridge_options options;
	struct vpn_place place;
	struct vpn_start start;
	struct vpn_process *process;
	struct asks *asks;
	struct proven *proven; /* of this run of OpenVPN */
	struct clients clients;
	struct routed routed; /* with the mode tun */
	enum phase phase;
	bool well;	   /* the end was asked for */
	bool renewing;	   /* begins anew after it */
	bool up;	   /* the server listens */
	unsigned attempts; /* that ended before that */
	bool unheard;	   /* the last report did not arrive */
	struct fetch *begin, *report;
	struct loop_timer tick, renewal;
};

/* ---- bridge_clients.c ---- */

void bridge_set_gone(struct bridge *bridge, struct client *client);

/* The portal says so of a connection. */
void bridge_on_unwelcome(void *context, const char *connection);

/* What the portal says to a client that asked; for asks. */
void bridge_on_answered(void *context, const struct management_event *asked,
	const struct vpn_decision *decision, const struct fault *fault);

/* What OpenVPN says of clients. */
void bridge_on_connect(struct bridge *bridge, const struct management_event *event);
void bridge_on_reauth(struct bridge *bridge, const struct management_event *event);
void bridge_on_client(struct bridge *bridge, const struct management_event *event);

/* OpenVPN says nothing of clients that go before they have their settings: ends them. */
void bridge_look_after(struct bridge *bridge);
