/*
 * fuzz_cidr: the ranges that a caller may send for a network. What parses comes back the same from
 * its own text, and a range that is accepted has no bit after its prefix.
 */
#include "services/provision/address.h"

#include "lib/mem.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_range(int family, const char *text,
	err_t (*check)(struct call *call, const char *field, const char *text))
{
	struct address_range range, again;
	char formatted[ADDRESS_RANGE_LEN];
	struct call call = { 0 };
	bool parsed = address_range_parse(&range, family, text);
	bool accepted = check(&call, "range", text) == OK;

	if (!parsed) {
		if (accepted)
			BUG("accepted what does not parse");
		return;
	}
	address_range_format(&range, formatted);
	if (!address_range_parse(&again, family, formatted) ||
		memcmp(&range, &again, sizeof(range)) != 0)
		BUG("%s is not what was parsed", formatted);
	if (address_range_trim(&range) && accepted)
		BUG("%s was accepted", formatted);
	if (address_range_trim(&range))
		BUG("%s has bits after its prefix", formatted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = xmalloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	try_range(AF_INET, text, address_check_ipv4);
	try_range(AF_INET6, text, address_check_ipv6);
	return 0;
}
