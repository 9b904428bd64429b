/*
 * peer: what a client of vpn-ws says about itself, made into the claims of a session. Pure.
 */
#pragma once

#include "dataplane/vpnws/uwsgi.h"
#include "lib/err.h"
#include "lib/token.h"

#include <stdbool.h>

#define PEER_MAC_HEADER	   "X-vpn-ws-MAC"
#define PEER_BRIDGE_HEADER "X-vpn-ws-bridge"

/* What all clients behind the proxy have in common. */
struct peer_rules {
	const char *tenant, *network;
	bool bridges; /* clients may be bridges */
	bool no_broadcast, no_multicast;
};

/*
 * Adds what the client's headers (NULL or "": it sent none) say to the claims of its member: its
 * address, where the member has none of its own. 0, or the HTTP status to refuse it with and one
 * sentence in `why`.
 */
unsigned peer_apply_headers(
	struct token_claims *claims, const char *mac, const char *bridge, const char **why);

/*
 * The claims of a client behind a proxy, which has authenticated it. Who comes again as the same
 * user with the same address takes the place of its earlier session; nobody else can. The status
 * as above.
 */
unsigned peer_claims(struct token_claims *claims, const struct peer_rules *rules,
	const struct uwsgi_request *request, const char **why);
