/* address: see address.h. */
#include "agents/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Neither the unspecified address nor loopback or multicast: one that an interface can have. */
static bool is_unicast(int family, const uint8_t *bytes)
{
	static const uint8_t zero[15];

	if (family == AF_INET)
		return bytes[0] != 0 && bytes[0] != 127 && bytes[0] < 224;
	return bytes[0] != 0xff && (memcmp(bytes, zero, sizeof(zero)) != 0 || bytes[15] > 1);
}

bool address_read(struct address *out, int family, const char *text)
{
	struct address address = { .family = family };
	long prefix_len, longest = family == AF_INET ? 32 : 128;
	size_t len = strlen(text);
	char *slash, *end;

	if (len >= sizeof(address.text) || strspn(text, "0123456789abcdefABCDEF:./") != len)
		return false;
	memcpy(address.text, text, len + 1);
	slash = strchr(address.text, '/');
	if (slash == NULL || slash[1] < '0' || slash[1] > '9')
		return false;
	prefix_len = strtol(slash + 1, &end, 10);
	*slash = '\0';
	if (*end != '\0' || prefix_len < 1 || prefix_len > longest ||
		inet_pton(family, address.text, address.bytes) != 1 ||
		!is_unicast(family, address.bytes))
		return false;
	*slash = '/';
	address.prefix_len = (uint8_t)prefix_len;
	*out = address;
	return true;
}
