/*
 * roster: what the portal tells a WireGuard server: how it begins, and which peers it lets in; and
 * what it is told of them. Replies are checked here, nothing behind it checks again.
 */
#pragma once

#include "agents/address.h"
#include "agents/fetch.h"
#include "agents/reply.h"
#include "agents/state.h"
#include "agents/wireguard/wg_dump.h"
#include "agents/wireguard/wg_key.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROSTER_STATE_SIZE 65

typedef void (*roster_done)(void *context, const struct fetch_reply *reply);

/* How the server begins. */
struct roster_start {
	char server[REPLY_ID_SIZE], run[REPLY_ID_SIZE];
	uint32_t port, mtu;
};

struct roster_peer {
	char id[REPLY_ID_SIZE];
	char public_key[WG_KEY_SIZE];
	struct address ipv4, ipv6; /* AF_UNSPEC: it has none */
	int64_t expires_s;	   /* Unix time */
	struct wg_seen seen;	   /* last */
	struct wg_seen told;	   /* to the portal */
	bool telling;		   /* `seen` is in the request that is on its way */
};

struct roster {
	char state[ROSTER_STATE_SIZE]; /* "": not one that the portal knows */
	struct roster_peer *peers;
	size_t n;
};

void roster_finish(struct roster *roster); /* also one that is all zero */

/* `server` NULL: the device's only one. */
struct fetch *roster_begin(struct fetcher *fetcher, const struct device *device, const char *server,
	const char *public_key, roster_done done, void *context);
err_t roster_begun(const struct fetch_reply *reply, struct roster_start *start,
	struct fault *fault) MUST_CHECK;

/* Tells what has changed, and asks who is to be let in. */
struct fetch *roster_sync(struct fetcher *fetcher, const struct device *device,
	const struct roster_start *start, struct roster *roster, roster_done done, void *context);
/* OK: what was on its way was told, and `next` has the peers and what was seen of them; `*same`:
 * they are those of the roster, and `next` is empty. */
err_t roster_synced(const struct fetch_reply *reply, struct roster *roster, struct roster *next,
	bool *same, struct fault *fault) MUST_CHECK;

/* Notes what the text of `wg show dump` tells. */
void roster_see(struct roster *roster, const char *dump);

/* Removes those whose time is over at `now_s`; true if there were any. */
bool roster_expire(struct roster *roster, int64_t now_s);

/* The configuration of the interface for `wg syncconf`; malloc'ed. */
char *roster_config(
	const struct roster *roster, const struct roster_start *start, const struct wg_key *key);
