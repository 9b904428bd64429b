/*
 * list: the network's ports as vpn-ws's status page has them: the node's own interface, number 0,
 * then the sessions.
 */
#include "dataplane/vpnws/list.h"

#include "dataplane/vpnws/control.h"
#include "lib/mem.h"

struct list {
	struct control_peer *peers;
	size_t n, capacity;
	struct arena *arena;
};

/* The addresses that a bridge has been seen to send with, newest first. */
static void add_macs(struct list *list, struct control_peer *peer, const struct port *port)
{
	uint64_t *macs = arena_alloc(list->arena, (port->n_learned + 1) * sizeof(*macs));
	const struct station *station;

	TAILQ_FOREACH_REVERSE(station, &port->learned, station_list, link)
	macs[peer->n_macs++] = station->mac;
	peer->macs = macs;
}

static struct control_peer *add(struct list *list, const struct port *port)
{
	struct control_peer *peer;

	if (list->n == list->capacity) {
		list->capacity = list->capacity > 0 ? 2 * list->capacity : 16;
		list->peers = xrealloc(list->peers, list->capacity * sizeof(*list->peers));
	}
	peer = &list->peers[list->n++];
	*peer = (struct control_peer){
		.mac = port->mac,
		.bridge = port->policy.bridge,
		.address = "",
		.user = "",
		.dn = "",
	};
	add_macs(list, peer, port);
	return peer;
}

static void add_session(void *context, const struct session_view *view)
{
	struct control_peer *peer = add(context, view->port);

	peer->id = view->number;
	peer->address = view->address;
	peer->user = view->user;
	peer->dn = view->dn;
	peer->since_s = view->started_at;
	peer->rx = view->received;
	peer->tx = view->sent;
}

char *list_text(const struct host *host, const struct sessions *sessions, const char *tenant,
	const char *network)
{
	AUTO_ARENA arena = arena_create();
	struct list list = { .arena = arena };
	struct control_peer *own;
	char *text;

	if (host) {
		own = add(&list, host_port(host));
		host_bytes(host, &own->tx, &own->rx);
	}
	sessions_visit(sessions, tenant, network, add_session, &list);
	text = control_list(list.peers, list.n);
	free(list.peers);
	return text;
}
