/* reach: see reach.h (RFC 6890). */
#include "services/auth/outside/reach.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static bool is_private_ipv4(const unsigned char a[4])
{
	return a[0] == 0 || a[0] == 10 || a[0] == 127 || a[0] >= 224 ||
	       (a[0] == 100 && (a[1] & 0xc0) == 64) || (a[0] == 169 && a[1] == 254) ||
	       (a[0] == 172 && (a[1] & 0xf0) == 16) || (a[0] == 192 && a[1] == 168) ||
	       (a[0] == 192 && a[1] == 0 && a[2] == 0) || (a[0] == 198 && (a[1] & 0xfe) == 18);
}

/* What carries an IPv4 address is as private as that. */
static const unsigned char *carried_ipv4(const struct in6_addr *address)
{
	static const unsigned char nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	const unsigned char *a = address->s6_addr;

	if (IN6_IS_ADDR_V4MAPPED(address) || memcmp(a, nat64, sizeof(nat64)) == 0)
		return a + 12;
	return a[0] == 0x20 && a[1] == 0x02 ? a + 2 : NULL; /* 6to4 */
}

/* Only global unicast is public, and of that neither Teredo and its neighbours (2001::/23), whose
 * ends are elsewhere, nor what is for documents. */
static bool is_private_ipv6(const struct in6_addr *address)
{
	const unsigned char *a = address->s6_addr, *ipv4 = carried_ipv4(address);

	if (ipv4 != NULL)
		return is_private_ipv4(ipv4);
	return (a[0] & 0xe0) != 0x20 || (a[0] == 0x20 && a[1] == 0x01 && a[2] < 0x02) ||
	       (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8);
}

bool reach_is_private(const struct sockaddr *address)
{
	const void *at = address;

	if (address->sa_family == AF_INET)
		return is_private_ipv4(
			(const unsigned char *)&((const struct sockaddr_in *)at)->sin_addr);
	if (address->sa_family == AF_INET6)
		return is_private_ipv6(&((const struct sockaddr_in6 *)at)->sin6_addr);
	return true;
}
