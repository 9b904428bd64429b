/*
 * wg_dump: what `wg show INTERFACE dump` tells of peers. Endpoints in it are strangers' words. Over
 * memory only.
 */
#pragma once

#include "agents/wireguard/wg_key.h"

#include <stdbool.h>
#include <stdint.h>

#define WG_SOURCE_SIZE 65

/* How a peer is. */
struct wg_seen {
	char source[WG_SOURCE_SIZE]; /* ADDRESS:PORT; "": it never came */
	int64_t handshake_s;	     /* Unix time; 0: there was none */
	uint64_t bytes_in, bytes_out;
};

struct wg_dump_line {
	char public_key[WG_KEY_SIZE];
	struct wg_seen seen;
};

/* Reads the next line of `*at` that is a peer's, and moves on behind it; false: there is no more.
 */
bool wg_dump_next(const char **at, struct wg_dump_line *line);
