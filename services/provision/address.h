/*
 * address: the ranges of a network as people write them (CIDR), and random addresses for those who
 * name none. Pure logic, any thread; which member has which address is PostgreSQL's to decide.
 */
#pragma once

#include "lib/call.h"

#include <arpa/inet.h>
#include <stdbool.h>

#define ADDRESS_RANGE_LEN (INET6_ADDRSTRLEN + 4) /* text of a range with its NUL */
#define ADDRESS_MAC_LEN	  18			 /* text of a MAC address with its NUL */

struct address_range {
	int family; /* AF_INET or AF_INET6 */
	unsigned char bytes[16];
	unsigned prefix; /* bits */
};

/* Reads "ADDRESS/BITS" of the family, where BITS has no sign and no leading zero. False if it is
 * anything else; `range` is then untouched. */
bool address_range_parse(struct address_range *range, int family, const char *text);

void address_range_format(const struct address_range *range, char text[ADDRESS_RANGE_LEN]);

/* Sets the bits after the prefix to 0; true if any was 1. */
bool address_range_trim(struct address_range *range);

/* Refuses all but a range that a network may have: unicast, no bit set after the prefix, and a
 * prefix of 8 to 30 bits (IPv4) or 64 to 112 (IPv6). */
err_t address_check_ipv4(struct call *call, const char *field, const char *text) MUST_CHECK;
err_t address_check_ipv6(struct call *call, const char *field, const char *text) MUST_CHECK;

/* A random /64 of the locally assigned unique local addresses (RFC 4193). */
void address_random_ipv6(char text[ADDRESS_RANGE_LEN]);

/* Six pairs of lower-case hex digits with ':' between them, neither zero nor a group. */
bool address_mac_valid(const char *text);

/* A random MAC address: unicast and locally administered. */
void address_random_mac(char text[ADDRESS_MAC_LEN]);
