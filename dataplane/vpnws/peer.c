/*
 * peer: see peer.h.
 */
#include "dataplane/vpnws/peer.h"

#include "dataplane/switch/frame.h"
#include "lib/clock.h"
#include "lib/uuid.h"

#include <sodium.h>

#include <stdio.h>
#include <string.h>

#define STATIONS_MAX 4096 /* behind a bridge */

/* The address as claims have it; vpn-ws looks at no separator. False: no station may have it. */
static bool mac_copy(char out[FRAME_MAC_TEXT], const char *text)
{
	uint64_t mac;

	if (strlen(text) != FRAME_MAC_TEXT - 1)
		return false;
	strcpy(out, text);
	for (size_t i = 2; i < FRAME_MAC_TEXT - 1; i += 3)
		if (out[i] == '-')
			out[i] = ':';
	return frame_mac_parse(out, &mac) == OK;
}

static bool is_same_mac(const char *a, const char *b)
{
	uint64_t of_a, of_b;

	return frame_mac_parse(a, &of_a) == OK && frame_mac_parse(b, &of_b) == OK && of_a == of_b;
}

unsigned peer_apply_headers(
	struct token_claims *claims, const char *mac, const char *bridge, const char **why)
{
	char text[FRAME_MAC_TEXT];

	if (bridge && strcmp(bridge, "on") == 0 && !claims->bridge) {
		*why = "The member may not be a bridge.";
		return 403;
	}
	if (!mac || *mac == '\0')
		return 0;
	if (!mac_copy(text, mac)) {
		*why = PEER_MAC_HEADER " is no address that a station may have.";
		return 400;
	}
	if (*claims->mac == '\0') {
		memcpy(claims->mac, text, sizeof(text));
	} else if (!is_same_mac(claims->mac, text) && claims->mac_limit <= 1) {
		*why = "The network gave the member another MAC address than that "
		       "of " PEER_MAC_HEADER ".";
		return 403;
	}
	return 0;
}

/* Not of a member that provision knows, but as unlike any other as an id of one. */
static void make_member(struct token_claims *claims, const struct uwsgi_request *request)
{
	unsigned char hash[16];
	char once[UUID_SIZE] = "";
	crypto_generichash_state state;

	if (*claims->mac == '\0') /* learned: nobody's place is taken before it is known */
		uuid_new(once);
	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	crypto_generichash_update(
		&state, (const unsigned char *)request->user, sizeof(request->user));
	crypto_generichash_update(&state, (const unsigned char *)request->dn, sizeof(request->dn));
	crypto_generichash_update(&state, (const unsigned char *)claims->mac, sizeof(claims->mac));
	crypto_generichash_update(&state, (const unsigned char *)once, sizeof(once));
	crypto_generichash_final(&state, hash, sizeof(hash));
	uuid_of(hash, 8, claims->member);
}

unsigned peer_claims(struct token_claims *claims, const struct peer_rules *rules,
	const struct uwsgi_request *request, const char **why)
{
	bool wants_bridge = strcmp(request->bridge, "on") == 0;
	unsigned status;

	memset(claims, 0, sizeof(*claims));
	snprintf(claims->tenant, sizeof(claims->tenant), "%s", rules->tenant);
	snprintf(claims->network, sizeof(claims->network), "%s", rules->network);
	snprintf(claims->subject, sizeof(claims->subject), "proxy:%.50s",
		*request->user != '\0' ? request->user : request->dn);
	claims->bridge = wants_bridge && rules->bridges;
	claims->mac_limit = claims->bridge ? STATIONS_MAX : 1;
	claims->dhcp_server = claims->router = claims->bridge; /* as a network may have them */
	claims->no_broadcast = rules->no_broadcast;
	claims->no_multicast = rules->no_multicast;
	/* The options of this node count more than the network's rules. */
	claims->network_version = rules->no_broadcast || rules->no_multicast ? INT64_MAX : 0;
	claims->issued_at = clock_unix_ms() / 1000;
	status = peer_apply_headers(claims, request->mac, request->bridge, why);
	if (status == 0)
		make_member(claims, request);
	return status;
}
