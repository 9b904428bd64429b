/* settings: see settings.h. */
#include "services/dns/settings.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define ZONE_MAX 61 /* with three labels of 63 below it, a name stays under 253 bytes */

static bool is_address(const char *text)
{
	unsigned char bytes[16];

	return strlen(text) < ADDRESS_LEN &&
	       (inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1);
}

/* The name in `text`, or PREFIX.ZONE if it is empty. */
static bool read_name(const char *text, const char *prefix, const char *zone, char name[DOMAIN_LEN])
{
	return *text != '\0' ? domain_normalise(text, name) && name[0] != '*'
			     : domain_join(prefix, zone, name);
}

static err_t read_names(
	const struct settings_texts *texts, struct records_settings *records, struct fault *fault)
{
	if (!domain_normalise(texts->zone, records->members_zone) ||
		strlen(records->members_zone) > ZONE_MAX)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_DNS_ZONE",
			"expected a domain name of at most %d bytes", ZONE_MAX);
	if (!read_name(texts->names_zone, "box", records->members_zone, records->names_zone) ||
		strcmp(records->names_zone, records->members_zone) == 0)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_DNS_NAMES_ZONE",
			"expected a domain name other than LANYARD_DNS_ZONE");
	if (!read_name(texts->server, "ns1", records->members_zone, records->server))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_DNS_SERVER",
			"expected the host name of the name server");
	return OK;
}

static err_t read_tunnel(const char *text, struct records_settings *records, struct fault *fault)
{
	while (*text != '\0') {
		size_t len = strcspn(text, ",");
		char address[ADDRESS_LEN];

		snprintf(address, sizeof(address), "%.*s", (int)len, text);
		if (len >= ADDRESS_LEN || !is_address(address) ||
			records->n_tunnel == RECORDS_ADDRESSES_MAX)
			return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_DNS_TUNNEL",
				"expected up to %d IP addresses, separated by commas",
				RECORDS_ADDRESSES_MAX);
		strcpy(records->tunnel[records->n_tunnel++], address);
		text += len + (text[len] == ',' ? 1 : 0);
	}
	return OK;
}

/* Each word stands in a CAA record between quotation marks. */
static bool are_domains(const char *text)
{
	if (strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.- ") != strlen(text))
		return false;
	for (; *text != '\0'; text += strspn(text, " ")) {
		size_t len = strcspn(text, " ");

		if (len > RECORDS_AUTHORITY_MAX)
			return false;
		text += len;
	}
	return true;
}

err_t settings_read(
	const struct settings_texts *texts, struct records_settings *records, struct fault *fault)
{
	err_t err;

	memset(records, 0, sizeof(*records));
	if ((err = read_names(texts, records, fault)) != OK ||
		(err = read_tunnel(texts->tunnel, records, fault)) != OK)
		return err;
	if (!is_address(texts->address))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_DNS_ADDRESS",
			"expected an IPv4 or IPv6 address");
	strcpy(records->address, texts->address);
	records->caa = texts->caa;
	if (!are_domains(texts->caa))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_DNS_CAA",
			"expected domains of certificate authorities of at most %d bytes, "
			"separated by blanks",
			RECORDS_AUTHORITY_MAX);
	return OK;
}
