/*
 * session_trunk: sessions as trunks to other nodes need them, and ports as tokens describe them.
 */
#include "dataplane/switch/frame.h"
#include "dataplane/switch/session_struct.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <stdio.h>

bool session_claims_good(const struct token_claims *claims)
{
	uint64_t mac;

	return *claims->tenant != '\0' && *claims->network != '\0' && *claims->member != '\0' &&
	       (*claims->mac == '\0' || frame_mac_parse(claims->mac, &mac) == OK);
}

void session_fill_port(struct port *port, const struct token_claims *claims)
{
	if (*claims->mac != '\0' && frame_mac_parse(claims->mac, &port->mac) != OK)
		BUG("claims with a wrong MAC address");
	snprintf(port->member, sizeof(port->member), "%s", claims->member);
	port->policy = (struct port_policy){
		.mac_limit = claims->mac_limit,
		.bridge = claims->bridge,
		.isolated = claims->isolated,
		.dhcp_server = claims->dhcp_server,
		.router = claims->router,
		.address_guard = claims->address_guard,
	};
	neighbour_set_ipv4(&port->ipv4, claims->ipv4);
	neighbour_set_ipv6(&port->ipv6, claims->ipv6);
}

void session_read_rules(const struct token_claims *claims, struct switch_rules *rules)
{
	*rules = (struct switch_rules){
		.version = claims->network_version,
		.no_broadcast = claims->no_broadcast,
		.no_multicast = claims->no_multicast,
		.storm_frames = claims->storm_frames,
		.storm_bytes = claims->storm_bytes,
	};
}

void session_describe(const struct port *port, struct session_card *card)
{
	const struct session *session = (const struct session *)port;

	*card = (struct session_card){ session->tenant, session->network, session->id,
		session->token, session->number };
}

void sessions_watch(struct sessions *sessions,
	void (*watch)(void *context, const char *tenant, const char *network, int by),
	void *context)
{
	sessions->watch = watch;
	sessions->watch_context = context;
}

void sessions_deliver(struct sessions *sessions, struct port *port, struct packet *frame)
{
	sessions->now_us = (uint64_t)clock_us();
	port->deliver(port, frame);
}

void sessions_evict(struct sessions *sessions, struct port *port, const char *why)
{
	switch_detach(sessions->ctx, port);
	port->owner->evicted(port, why);
}
