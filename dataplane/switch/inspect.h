/*
 * inspect: what a frame is, for the guards: ARP, neighbour discovery, router advertisements, DHCP
 * from a server. Reads bytes of anybody; no memory, no state; any thread.
 *
 * It looks where receivers look: behind VLAN tags and SNAP headers, and through IPv6 extension
 * headers. What a receiver could make of several frames together, but cannot be seen in this one,
 * is told as hidden.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum inspect_kind {
	INSPECT_OTHER,
	INSPECT_ARP,
	INSPECT_SOLICITATION,  /* neighbour */
	INSPECT_ADVERTISEMENT, /* neighbour */
	INSPECT_ROUTER,	       /* router advertisement or redirect */
	INSPECT_DHCP_SERVER,   /* to a client's port, of IPv4 or IPv6 */
	INSPECT_HIDDEN, /* first fragment without all headers, or neighbour discovery in pieces */
};

struct inspected {
	enum inspect_kind kind;
	bool tagged;	    /* with the id of a VLAN: addresses there are none of the network's */
	bool is_request;    /* ARP */
	const uint8_t *mac; /* ARP: the sender's */
	uint8_t sender[16]; /* ARP: sender; neighbour discovery: source of the packet */
	uint8_t target[16]; /* IPv4 addresses as ::ffff:a.b.c.d */
};

/* `data` is a frame of at least FRAME_LEN_MIN bytes. */
void inspect(const uint8_t *data, size_t len, struct inspected *inspected);
