/* address: any text as an address with its prefix length, of both families. */
#include "agents/address.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(int family, const char *text)
{
	struct address address;

	if (!address_read(&address, family, text))
		return;
	if (address.family != family || strcmp(address.text, text) != 0 || address.prefix_len < 1 ||
		address.prefix_len > (family == AF_INET ? 32 : 128))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[256];

	if (len >= sizeof(text))
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	check(AF_INET, text);
	check(AF_INET6, text);
	return 0;
}
