/* own_address: the resolver's word for gethostname(). */
#include "lib/own_address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define HOST_LEN 256

static bool is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	return address->sa_family == AF_INET6 ? IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr)
					      : ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

static err_t print(const struct addrinfo *found, char *out, size_t size)
{
	bool is_v6 = found->ai_family == AF_INET6;
	char host[NI_MAXHOST];

	if (is_loopback(found->ai_addr) || getnameinfo(found->ai_addr, found->ai_addrlen, host,
						   sizeof(host), NULL, 0, NI_NUMERICHOST) != 0)
		return ERR_NOT_FOUND;
	return snprintf(out, size, is_v6 ? "[%s]" : "%s", host) < (int)size ? OK : ERR_NOT_FOUND;
}

err_t own_address(char *out, size_t size)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	char name[HOST_LEN];
	err_t err = ERR_NOT_FOUND;

	if (gethostname(name, sizeof(name)) != 0 || getaddrinfo(name, NULL, &hints, &found) != 0)
		return err;
	for (struct addrinfo *one = found; err != OK && one != NULL; one = one->ai_next)
		err = print(one, out, size);
	freeaddrinfo(found);
	return err;
}
