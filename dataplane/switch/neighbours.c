/*
 * neighbours: the text and mapped forms of addresses.
 */
#include "dataplane/switch/neighbours.h"

#include <arpa/inet.h>
#include <string.h>

void neighbour_map_ipv4(const uint8_t ipv4[4], uint8_t address[16])
{
	memset(address, 0, 10);
	memset(address + 10, 0xff, 2);
	memcpy(address + 12, ipv4, 4);
}

void neighbour_set_ipv4(struct neighbour *neighbour, const char *text)
{
	uint8_t ipv4[4];

	memset(neighbour, 0, sizeof(*neighbour));
	if (inet_pton(AF_INET, text, ipv4) == 1)
		neighbour_map_ipv4(ipv4, neighbour->address);
}

void neighbour_set_ipv6(struct neighbour *neighbour, const char *text)
{
	memset(neighbour, 0, sizeof(*neighbour));
	if (inet_pton(AF_INET6, text, neighbour->address) != 1)
		memset(neighbour->address, 0, sizeof(neighbour->address));
}
