/*
 * proxies: see proxies.h. A short list, looked through once a connection.
 */
#include "dataplane/net/proxies.h"

#include "dataplane/net/socket.h"
#include "lib/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static bool parse_prefix_len(const char *text, unsigned most, unsigned *out)
{
	char *end;
	unsigned long value;

	if (*text < '0' || *text > '9')
		return false;
	value = strtoul(text, &end, 10);
	*out = (unsigned)value;
	return *end == '\0' && value <= most;
}

static bool parse_row(char *text, uint8_t address[16], unsigned *prefix_len)
{
	struct sockaddr_storage parsed = { 0 };
	char *slash = strchr(text, '/');
	unsigned most, len;

	if (slash)
		*slash++ = '\0';
	if (inet_pton(AF_INET, text, &((struct sockaddr_in *)&parsed)->sin_addr) == 1)
		parsed.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&parsed)->sin6_addr) == 1)
		parsed.ss_family = AF_INET6;
	if (!socket_map(&parsed, address))
		return false;
	most = len = parsed.ss_family == AF_INET ? 32 : 128;
	if (slash && !parse_prefix_len(slash, most, &len))
		return false;
	*prefix_len = 128 - most + len;
	return true;
}

err_t proxies_parse(struct proxies *proxies, const char *list, struct fault *fault)
{
	AUTO_FREE char *copy = xstrdup(list);
	char *rest = *list != '\0' ? copy : NULL;

	proxies->n = 0;
	for (char *row; (row = strsep(&rest, ",")); proxies->n++)
		if (proxies->n == PROXIES_MAX || !parse_row(row, proxies->rows[proxies->n].address,
							 &proxies->rows[proxies->n].prefix_len))
			return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_PROXIES",
				"expected at most %d addresses, each alone or as ADDRESS/PREFIX, "
				"separated by commas",
				PROXIES_MAX);
	return OK;
}

static bool matches(const uint8_t a[16], const uint8_t b[16], unsigned prefix_len)
{
	unsigned whole = prefix_len / 8, bits = prefix_len % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return bits == 0 || ((a[whole] ^ b[whole]) >> (8 - bits)) == 0;
}

bool proxies_include(const struct proxies *proxies, const struct sockaddr_storage *address)
{
	uint8_t mapped[16];

	if (!socket_map(address, mapped))
		return false;
	for (size_t i = 0; i < proxies->n; i++)
		if (matches(mapped, proxies->rows[i].address, proxies->rows[i].prefix_len))
			return true;
	return false;
}
