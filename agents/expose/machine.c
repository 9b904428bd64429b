/* machine: see machine.h. */
#include "agents/expose/machine.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <net/if_arp.h>
#include <netpacket/packet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ADDRESSES_MAX 8 /* that a name may have */
#define ROUTES	      "/proc/net/route"

static void free_list(struct ifaddrs **list)
{
	freeifaddrs(*list);
}
#define AUTO_LIST __attribute__((cleanup(free_list))) struct ifaddrs *

static struct ifaddrs *list_addresses(void)
{
	struct ifaddrs *list = NULL;

	return getifaddrs(&list) == 0 ? list : NULL;
}

/* ---- the interface ---- */

static bool default_route(char name[IF_NAMESIZE])
{
	FILE *file = fopen(ROUTES, "re");
	char line[256];
	bool found = false;
	unsigned destination;

	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
		found = sscanf(line, "%15s %8x", name, &destination) == 2 && destination == 0;
	if (file != NULL)
		fclose(file);
	return found;
}

/* Its MAC address; NULL if it is no Ethernet with one. */
static const unsigned char *ethernet(const struct ifaddrs *row)
{
	static const unsigned char none[6];
	const struct sockaddr_ll *link = (const struct sockaddr_ll *)row->ifa_addr;

	if (link == NULL || link->sll_family != AF_PACKET || link->sll_hatype != ARPHRD_ETHER ||
		link->sll_halen != 6 || memcmp(link->sll_addr, none, 6) == 0)
		return NULL;
	return link->sll_addr;
}

static const unsigned char *ethernet_of(const struct ifaddrs *list, const char *interface)
{
	const unsigned char *mac = NULL;

	for (; list != NULL && mac == NULL; list = list->ifa_next)
		if (strcmp(list->ifa_name, interface) == 0)
			mac = ethernet(list);
	return mac;
}

err_t machine_interface(char name[IF_NAMESIZE], struct fault *fault)
{
	AUTO_LIST list = list_addresses();

	if (default_route(name) && ethernet_of(list, name) != NULL)
		return OK;
	for (const struct ifaddrs *row = list; row != NULL; row = row->ifa_next)
		if (ethernet(row) != NULL) {
			snprintf(name, IF_NAMESIZE, "%s", row->ifa_name);
			return OK;
		}
	return fault_set(fault, ERR_NOT_FOUND, "interface",
		"there is no Ethernet interface here whose MAC address could be the device's name: "
		"choose a name with --name, and an interface with --interface");
}

err_t machine_label(const char *interface, char label[MACHINE_LABEL_SIZE], struct fault *fault)
{
	AUTO_LIST list = list_addresses();
	const unsigned char *m = ethernet_of(list, interface);

	if (m == NULL)
		return fault_set(fault, ERR_NOT_FOUND, "interface",
			"%.15s is no Ethernet interface with a MAC address", interface);
	snprintf(label, MACHINE_LABEL_SIZE, "%02x%02x%02x%02x%02x%02x", m[0], m[1], m[2], m[3],
		m[4], m[5]);
	return OK;
}

/* ---- addresses ---- */

static bool in_ipv4(uint32_t address, uint32_t network, int bits)
{
	return (address ^ network) >> (32 - bits) == 0;
}

/* Private networks, those of carriers, and link-local ones (RFC 1918, 6598, 3927). */
static bool is_private_ipv4(const struct in_addr *in)
{
	uint32_t address = ntohl(in->s_addr);

	return in_ipv4(address, 0x0a000000, 8) || in_ipv4(address, 0xac100000, 12) ||
	       in_ipv4(address, 0xc0a80000, 16) || in_ipv4(address, 0x64400000, 10) ||
	       in_ipv4(address, 0xa9fe0000, 16);
}

static bool is_unique_local(const struct in6_addr *in)
{
	return (in->s6_addr[0] & 0xfe) == 0xfc;
}

/* A link-local address of IPv6 means nothing without its interface, so it is not told. */
static bool is_told(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return is_private_ipv4(&((const struct sockaddr_in *)address)->sin_addr);
	return address->sa_family == AF_INET6 &&
	       is_unique_local(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static const void *bytes_of(const struct sockaddr *address, size_t *len)
{
	*len = address->sa_family == AF_INET ? 4 : 16;
	if (address->sa_family == AF_INET)
		return &((const struct sockaddr_in *)address)->sin_addr;
	return &((const struct sockaddr_in6 *)address)->sin6_addr;
}

void machine_addresses(const char *interface, char out[MACHINE_ADDRESSES_SIZE])
{
	AUTO_LIST list = list_addresses();
	char text[INET6_ADDRSTRLEN];
	size_t len, n = 0, used = 0;

	*out = '\0';
	for (const struct ifaddrs *row = list; row != NULL && n < ADDRESSES_MAX;
		row = row->ifa_next) {
		if (row->ifa_addr == NULL || strcmp(row->ifa_name, interface) != 0 ||
			!is_told(row->ifa_addr))
			continue;
		inet_ntop(row->ifa_addr->sa_family, bytes_of(row->ifa_addr, &len), text,
			sizeof(text));
		used += (size_t)snprintf(
			out + used, MACHINE_ADDRESSES_SIZE - used, "%s%s", n > 0 ? "," : "", text);
		n++;
	}
}

/* ---- neighbours ---- */

/* An IPv4 address that came through an IPv6 socket, as what it is. */
static const struct sockaddr *unmapped(const struct sockaddr *address, struct sockaddr_in *space)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;

	if (address->sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		return address;
	*space = (struct sockaddr_in){ .sin_family = AF_INET };
	memcpy(&space->sin_addr, &six->sin6_addr.s6_addr[12], 4);
	return (const struct sockaddr *)space;
}

static bool on_same_link(const struct ifaddrs *row, const struct sockaddr *address)
{
	const unsigned char *mine, *mask, *theirs;
	size_t len;

	if (row->ifa_addr == NULL || row->ifa_netmask == NULL ||
		row->ifa_addr->sa_family != address->sa_family)
		return false;
	mine = bytes_of(row->ifa_addr, &len);
	mask = bytes_of(row->ifa_netmask, &len);
	theirs = bytes_of(address, &len);
	for (size_t i = 0; i < len; i++)
		if (((mine[i] ^ theirs[i]) & mask[i]) != 0)
			return false;
	return true;
}

bool machine_is_near(const struct sockaddr *address)
{
	AUTO_LIST list = list_addresses();
	struct sockaddr_in space;

	if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
		return false;
	address = unmapped(address, &space);
	if (is_told(address))
		return true;
	for (const struct ifaddrs *row = list; row != NULL; row = row->ifa_next)
		if ((row->ifa_flags & IFF_POINTOPOINT) == 0 && on_same_link(row, address))
			return true;
	return false;
}
