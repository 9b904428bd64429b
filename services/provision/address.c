/*
 * address: parsing, checks and random choice of address ranges and MAC addresses. Called by the
 * handlers of networks and members, from any thread.
 */
#include "services/provision/address.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* What a network's range must look like. */
struct rule {
	int family;
	unsigned min_prefix, max_prefix;
	bool (*is_unicast)(const unsigned char *bytes);
	const char *expected;
};

static bool is_unicast_ipv4(const unsigned char *bytes)
{
	return bytes[0] > 0 && bytes[0] < 224 && bytes[0] != 127;
}

/* Global (2000::/3) or unique local (fc00::/7). */
static bool is_unicast_ipv6(const unsigned char *bytes)
{
	return (bytes[0] & 0xe0) == 0x20 || (bytes[0] & 0xfe) == 0xfc;
}

static const struct rule ipv4_rule = { AF_INET, 8, 30, is_unicast_ipv4,
	"expected a unicast range of IPv4 with a prefix of 8 to 30 bits, such as 10.77.0.0/24" };
static const struct rule ipv6_rule = { AF_INET6, 64, 112, is_unicast_ipv6,
	"expected a global or unique local range of IPv6 with a prefix of 64 to 112 bits, such as "
	"fd12:3456:789a:1::/64" };

static unsigned family_bits(int family)
{
	return family == AF_INET ? 32 : 128;
}

static bool prefix_parse(unsigned *prefix, const char *text)
{
	size_t len = strlen(text);

	if (len < 1 || len > 3 || strspn(text, "0123456789") != len || (len > 1 && text[0] == '0'))
		return false;
	*prefix = (unsigned)strtoul(text, NULL, 10);
	return true;
}

bool address_range_parse(struct address_range *range, int family, const char *text)
{
	struct address_range parsed = { .family = family };
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];

	if (slash == NULL || (size_t)(slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (inet_pton(family, address, parsed.bytes) != 1 ||
		!prefix_parse(&parsed.prefix, slash + 1) || parsed.prefix > family_bits(family))
		return false;
	*range = parsed;
	return true;
}

void address_range_format(const struct address_range *range, char text[ADDRESS_RANGE_LEN])
{
	char address[INET6_ADDRSTRLEN];

	if (inet_ntop(range->family, range->bytes, address, sizeof(address)) == NULL)
		BUG("family %d", range->family);
	snprintf(text, ADDRESS_RANGE_LEN, "%s/%u", address, range->prefix);
}

bool address_range_trim(struct address_range *range)
{
	bool changed = false;

	for (unsigned bit = range->prefix; bit < family_bits(range->family); bit++) {
		unsigned char mask = (unsigned char)(0x80 >> bit % 8);

		changed |= (range->bytes[bit / 8] & mask) != 0;
		range->bytes[bit / 8] &= (unsigned char)~mask;
	}
	return changed;
}

static err_t check_range(
	struct call *call, const char *field, const char *text, const struct rule *rule)
{
	struct address_range range;
	char trimmed[ADDRESS_RANGE_LEN];

	if (!address_range_parse(&range, rule->family, text) || range.prefix < rule->min_prefix ||
		range.prefix > rule->max_prefix || !rule->is_unicast(range.bytes))
		return call_refuse(call, ERR_INVALID_ARGUMENT, field, "%s", rule->expected);
	if (address_range_trim(&range)) {
		address_range_format(&range, trimmed);
		return call_refuse(call, ERR_INVALID_ARGUMENT, field,
			"expected no bit set after the prefix: %s", trimmed);
	}
	return OK;
}

err_t address_check_ipv4(struct call *call, const char *field, const char *text)
{
	return check_range(call, field, text, &ipv4_rule);
}

err_t address_check_ipv6(struct call *call, const char *field, const char *text)
{
	return check_range(call, field, text, &ipv6_rule);
}

static void random_fill(unsigned char *bytes, size_t len)
{
	if (getrandom(bytes, len, 0) != (ssize_t)len) /* up to 256 bytes come whole */
		BUG("getrandom failed");
}

void address_random_ipv6(char text[ADDRESS_RANGE_LEN])
{
	struct address_range range = { .family = AF_INET6, .prefix = 64 };

	random_fill(range.bytes, 8);
	range.bytes[0] = 0xfd;
	address_range_format(&range, text);
}

bool address_mac_valid(const char *text)
{
	unsigned first = 0;

	if (strlen(text) != ADDRESS_MAC_LEN - 1 || strcmp(text, "00:00:00:00:00:00") == 0)
		return false;
	for (size_t i = 0; i < ADDRESS_MAC_LEN - 1; i++)
		if (i % 3 == 2 ? text[i] != ':' : strchr("0123456789abcdef", text[i]) == NULL)
			return false;
	return sscanf(text, "%2x", &first) == 1 && (first & 1) == 0;
}

void address_random_mac(char text[ADDRESS_MAC_LEN])
{
	unsigned char mac[6];

	random_fill(mac, sizeof(mac));
	mac[0] = (unsigned char)((mac[0] & 0xfc) | 0x02);
	snprintf(text, ADDRESS_MAC_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		mac[3], mac[4], mac[5]);
}
