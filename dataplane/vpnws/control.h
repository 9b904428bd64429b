/*
 * control: the status page of vpn-ws: what a request for it asks, and the text of each reply, byte
 * for byte as its users' scripts know them. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One port of the network. */
struct control_peer {
	uint32_t id;
	uint64_t mac; /* 0: not known yet */
	const char *address, *user, *dn;
	int64_t since_s; /* Unix time of the handshake; 0: the server's own TAP */
	bool bridge;
	const uint64_t *macs; /* that a bridge has been seen to send with, newest first */
	size_t n_macs;
	uint64_t tx, rx; /* bytes to and from it */
};

/* Does the query ask to end a peer ("kill=N", at any place)? `id` is then 0 if N is no number. */
bool control_is_kill(const char *query, uint32_t *id);

/* The whole reply, head and body. The caller frees it. */
char *control_list(const struct control_peer *peers, size_t n);

/* The same for a kill; static text. */
const char *control_killed(bool found);
