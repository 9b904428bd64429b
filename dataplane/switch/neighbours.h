/*
 * neighbours: the IP addresses that a network gave its members, so that the node can answer ARP and
 * IPv6 neighbour solicitations itself, and knows who speaks for somebody else. The loop's thread.
 */
#pragma once

#include "lib/hash.h"

#include <stdbool.h>
#include <stdint.h>

struct port;

/* An address of a port: IPv6, or IPv4 as ::ffff:a.b.c.d. All 0: none. */
struct neighbour {
	uint8_t address[16];
	struct port *port;
	uint64_t mac;	   /* what the port last said it has the address at; 0: its own */
	UT_hash_handle hh; /* domain.neighbours */
};

/* Sets the address from text; empty or malformed is none. */
void neighbour_set_ipv4(struct neighbour *neighbour, const char *text);
void neighbour_set_ipv6(struct neighbour *neighbour, const char *text);

void neighbour_map_ipv4(const uint8_t ipv4[4], uint8_t address[16]);
