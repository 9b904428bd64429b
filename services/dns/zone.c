/* zone: names and records of the zone, from settings and entries. Any thread. */
#include "services/dns/zone.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define LABEL_MAX     63
#define MEMBER_LABELS 3 /* DEVICE.NETWORK.TENANT */

/* ---- names ---- */

/* Number of labels of a name in lower case, 0 if it is none. An underscore is not for hosts, but is
 * in names that people ask for. */
static int count_labels(const char *name)
{
	int n = 0;

	for (;; name++) {
		size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");

		if (len < 1 || len > LABEL_MAX)
			return 0;
		n++;
		name += len;
		if (*name == '\0')
			return n;
		if (*name != '.')
			return 0;
	}
}

/* Copies a name in lower case without its last dot. */
static bool normalise(const char *name, char *out, size_t size)
{
	size_t len = strlen(name);

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)tolower((unsigned char)name[i]);
	out[len] = '\0';
	return count_labels(out) > 0;
}

/* Is `name` below `above`? If so, how long is what stands before the dot between them? */
static size_t prefix_len(const char *name, const char *above)
{
	size_t len = strlen(name);
	size_t above_len = strlen(above);

	if (len < above_len + 2 || name[len - above_len - 1] != '.' ||
		strcmp(name + len - above_len, above) != 0)
		return 0;
	return len - above_len - 1;
}

bool zone_relative(const struct zone *zone, const char *name, char relative[ZONE_TEXT_LEN])
{
	char text[ZONE_TEXT_LEN];
	size_t len;

	if (!normalise(name, text, sizeof(text)))
		return false;
	len = prefix_len(text, zone->name);
	if (len == 0 && strcmp(text, zone->name) != 0)
		return false;
	memcpy(relative, text, len);
	relative[len] = '\0';
	return true;
}

err_t zone_init(struct zone *zone, const char *name, const char *server, const char *address,
	struct fault *fault)
{
	unsigned char bytes[16];

	memset(zone, 0, sizeof(*zone));
	if (!normalise(name, zone->name, sizeof(zone->name)))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_DNS_ZONE",
			"expected a domain name of at most %d bytes", ZONE_NAME_MAX);
	if (*server == '\0')
		snprintf(zone->server, sizeof(zone->server), "ns1.%s", zone->name);
	else if (!normalise(server, zone->server, sizeof(zone->server)))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_DNS_SERVER",
			"expected the host name of the name server");
	if (inet_pton(AF_INET, address, bytes) != 1 && inet_pton(AF_INET6, address, bytes) != 1)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_DNS_ADDRESS",
			"expected an IPv4 or IPv6 address");
	snprintf(zone->address, sizeof(zone->address), "%s", address);
	zone->server_inside = zone_relative(zone, zone->server, zone->server_relative);
	return OK;
}

/* ---- records ---- */

static bool wants(const char *asked, const char *type)
{
	return strcmp(asked, type) == 0 || strcmp(asked, "ANY") == 0;
}

bool zone_asks(const char *relative, const char *type)
{
	if (*relative == '\0')
		return wants(type, "SOA");
	return count_labels(relative) <= MEMBER_LABELS && (wants(type, "A") || wants(type, "AAAA"));
}

static struct zone_record *add(struct zone_answer *answer, const char *type)
{
	struct zone_record *record = &answer->records[answer->n++];

	record->type = type;
	record->content[0] = '\0';
	return record;
}

static void add_address(struct zone_answer *answer, const char *asked, const char *address)
{
	const char *type = strchr(address, ':') != NULL ? "AAAA" : "A";
	struct zone_record *record;

	if (*address == '\0' || !wants(asked, type))
		return;
	record = add(answer, type);
	snprintf(record->content, sizeof(record->content), "%s", address);
}

/* SOA: primary, mailbox, serial, refresh, retry, expire, negative TTL (RFC 1035, RFC 2308). */
static void add_top(
	const struct zone *zone, const char *asked, uint32_t serial, struct zone_answer *answer)
{
	struct zone_record *record;

	if (wants(asked, "SOA")) {
		record = add(answer, "SOA");
		snprintf(record->content, sizeof(record->content),
			"%s. hostmaster.%s. %u 3600 600 86400 %d", zone->server, zone->name, serial,
			ZONE_NEGATIVE_TTL_S);
	}
	if (wants(asked, "NS")) {
		record = add(answer, "NS");
		snprintf(record->content, sizeof(record->content), "%s.", zone->server);
	}
}

void zone_answer(const struct zone *zone, const char *relative, const char *type,
	const struct zone_entry *entry, struct zone_answer *answer)
{
	bool exists = entry->is_name || entry->is_above;

	answer->n = 0;
	if (*relative == '\0')
		add_top(zone, type, entry->serial, answer);
	add_address(answer, type, entry->ipv4);
	add_address(answer, type, entry->ipv6);
	if (zone->server_inside && strcmp(relative, zone->server_relative) == 0)
		add_address(answer, type, zone->address);
	if (zone->server_inside && prefix_len(zone->server_relative, relative) > 0)
		exists = true;
	if (answer->n == 0 && exists && strcmp(type, "ANY") == 0)
		add(answer, "");
}
