/* roster: see roster.h. */
#include "agents/wireguard/roster.h"

#include "agents/document.h"
#include "agents/portal.h"

#include "lib/mem.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define IDS	    "0123456789abcdef-"
#define HEX	    "0123456789abcdef"
#define BASE64	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
#define REPORTS_MAX 200
#define PEERS_MAX   1000
#define MTU_MIN	    576

void roster_finish(struct roster *roster)
{
	free(roster->peers);
	*roster = (struct roster){ 0 };
}

static err_t refuse(struct fault *fault, const char *field)
{
	return fault_set(fault, ERR_INVALID_ARGUMENT, field,
		"the portal's reply: %s: expected what the API describes", field);
}

/* ---- the beginning ---- */

struct fetch *roster_begin(struct fetcher *fetcher, const struct device *device, const char *server,
	const char *public_key, roster_done done, void *context)
{
	return portal_post(fetcher, device, "/v1/wireguard-starts", PORTAL_ANEW,
		json_pack("{s:s*, s:s}", "server", server, "public_key", public_key), done,
		context);
}

static bool take_number(
	const json_t *object, const char *member, uint32_t min, uint32_t max, uint32_t *out)
{
	json_int_t number = json_integer_value(json_object_get(object, member));

	*out = (uint32_t)number;
	return number >= min && number <= max;
}

err_t roster_begun(const struct fetch_reply *reply, struct roster_start *start, struct fault *fault)
{
	AUTO_DOCUMENT body = NULL;
	const json_t *server;
	err_t err = portal_read(reply, &body, fault);

	if (err != OK)
		return err;
	server = json_object_get(body, "server");
	if (!document_text(
		    server, "id", IDS, REPLY_ID_SIZE - 1, start->server, sizeof(start->server)))
		return refuse(fault, "server.id");
	if (!take_number(server, "port", 1, 65535, &start->port))
		return refuse(fault, "server.port");
	if (!document_text(body, "run", IDS, REPLY_ID_SIZE - 1, start->run, sizeof(start->run)))
		return refuse(fault, "run");
	return take_number(body, "mtu", MTU_MIN, 9000, &start->mtu) ? OK : refuse(fault, "mtu");
}

/* ---- what is told ---- */

static json_t *report_of(const struct roster_peer *peer)
{
	const struct wg_seen *seen = &peer->seen;

	return json_pack("{s:s, s:s, s:I, s:I, s:I}", "peer", peer->id, "source", seen->source,
		"handshake_at", (json_int_t)seen->handshake_s, "bytes_in",
		(json_int_t)seen->bytes_in, "bytes_out", (json_int_t)seen->bytes_out);
}

static json_t *reports_of(struct roster *roster)
{
	json_t *reports = json_array();
	size_t n = 0;

	for (size_t i = 0; i < roster->n; i++) {
		struct roster_peer *peer = &roster->peers[i];

		peer->telling = n < REPORTS_MAX && peer->seen.handshake_s > 0 &&
				memcmp(&peer->seen, &peer->told, sizeof(peer->seen)) != 0;
		if (peer->telling) {
			json_array_append_new(reports, report_of(peer));
			n++;
		}
	}
	return reports;
}

struct fetch *roster_sync(struct fetcher *fetcher, const struct device *device,
	const struct roster_start *start, struct roster *roster, roster_done done, void *context)
{
	return portal_post(fetcher, device, "/v1/wireguard-peers", PORTAL_ANEW,
		json_pack("{s:s, s:s, s:s, s:o}", "server", start->server, "run", start->run,
			"state", roster->state, "reports", reports_of(roster)),
		done, context);
}

static void note_told(struct roster *roster)
{
	for (size_t i = 0; i < roster->n; i++)
		if (roster->peers[i].telling)
			roster->peers[i].told = roster->peers[i].seen;
}

/* ---- who is to be let in ---- */

/* One address of its own; "": there is none. */
static bool take_address(
	const json_t *object, const char *member, int family, struct address *address)
{
	const char *text = json_string_value(json_object_get(object, member));
	char host[sizeof(address->text)];
	int len;

	*address = (struct address){ .family = AF_UNSPEC };
	if (text == NULL || *text == '\0')
		return text != NULL;
	len = snprintf(host, sizeof(host), "%s/%d", text, family == AF_INET ? 32 : 128);
	return len > 0 && (size_t)len < sizeof(host) && strchr(text, '/') == NULL &&
	       address_read(address, family, host);
}

static bool take_peer(const json_t *item, struct roster_peer *peer)
{
	*peer = (struct roster_peer){ .expires_s = json_integer_value(
					      json_object_get(item, "expires_at")) };
	return document_text(item, "id", IDS, REPLY_ID_SIZE - 1, peer->id, sizeof(peer->id)) &&
	       document_text(item, "public_key", BASE64, WG_KEY_SIZE - 1, peer->public_key,
		       sizeof(peer->public_key)) &&
	       take_address(item, "ipv4", AF_INET, &peer->ipv4) &&
	       take_address(item, "ipv6", AF_INET6, &peer->ipv6) && peer->expires_s > 0 &&
	       (peer->ipv4.family != AF_UNSPEC || peer->ipv6.family != AF_UNSPEC);
}

/* What is known of it from before. */
static void keep_seen(const struct roster *roster, struct roster_peer *peer)
{
	for (size_t i = 0; i < roster->n; i++)
		if (strcmp(roster->peers[i].id, peer->id) == 0) {
			peer->seen = roster->peers[i].seen;
			peer->told = roster->peers[i].told;
		}
}

static err_t take_peers(
	const json_t *list, const struct roster *roster, struct roster *next, struct fault *fault)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > PEERS_MAX)
		return refuse(fault, "peers");
	next->peers = xcalloc(n + 1, sizeof(*next->peers));
	for (; next->n < n; next->n++) {
		struct roster_peer *peer = &next->peers[next->n];

		if (!take_peer(json_array_get(list, next->n), peer))
			return refuse(fault, "peers");
		keep_seen(roster, peer);
	}
	return OK;
}

err_t roster_synced(const struct fetch_reply *reply, struct roster *roster, struct roster *next,
	bool *same, struct fault *fault)
{
	AUTO_DOCUMENT body = NULL;
	err_t err = portal_read(reply, &body, fault);

	*next = (struct roster){ 0 };
	if (err != OK)
		return err;
	if (!document_text(body, "state", HEX, 1, next->state, sizeof(next->state)))
		return refuse(fault, "state");
	note_told(roster);
	*same = strcmp(next->state, roster->state) == 0;
	if (!*same)
		err = take_peers(json_object_get(body, "peers"), roster, next, fault);
	if (err != OK)
		roster_finish(next);
	return err;
}

/* ---- what is seen ---- */

void roster_see(struct roster *roster, const char *dump)
{
	struct wg_dump_line line;

	while (wg_dump_next(&dump, &line))
		for (size_t i = 0; i < roster->n; i++)
			if (strcmp(roster->peers[i].public_key, line.public_key) == 0)
				roster->peers[i].seen = line.seen;
}

bool roster_expire(struct roster *roster, int64_t now_s)
{
	size_t n = 0, before = roster->n;

	for (size_t i = 0; i < before; i++)
		if (roster->peers[i].expires_s > now_s)
			roster->peers[n++] = roster->peers[i];
	roster->n = n;
	if (n == before)
		return false;
	roster->state[0] = '\0';
	return true;
}

/* ---- the configuration ---- */

static void write_peer(FILE *out, const struct roster_peer *peer)
{
	bool both = peer->ipv4.family != AF_UNSPEC && peer->ipv6.family != AF_UNSPEC;

	fprintf(out, "\n[Peer]\nPublicKey = %s\nAllowedIPs = %s%s%s\n", peer->public_key,
		peer->ipv4.text, both ? "," : "", peer->ipv6.text);
}

char *roster_config(
	const struct roster *roster, const struct roster_start *start, const struct wg_key *key)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		BUG("no memory for a configuration");
	fprintf(out,
		"# Written by lanyard wireguard.\n[Interface]\nPrivateKey = %s\n"
		"ListenPort = %u\n",
		key->secret, start->port);
	for (size_t i = 0; i < roster->n; i++)
		write_peer(out, &roster->peers[i]);
	fclose(out);
	return text;
}
