/* pushed: see pushed.h. */
#include "agents/openvpn/pushed.h"

#include "lib/mem.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define DOMAINS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."

static bool is_address(const char *text)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool write_dns(FILE *out, const char *text)
{
	if (!is_address(text))
		return false;
	fprintf(out, "push \"dhcp-option DNS %s\"\n", text);
	return true;
}

static bool write_domain(FILE *out, const char *text)
{
	if (*text == '\0' || strspn(text, DOMAINS) != strlen(text))
		return false;
	fprintf(out, "push \"dhcp-option DOMAIN-SEARCH %s\"\n", text);
	return true;
}

/* "10.0.0.0/8" or "fd00::/8". */
static bool write_route(FILE *out, const char *text)
{
	char address[INET6_ADDRSTRLEN], netmask[INET_ADDRSTRLEN];
	unsigned char bytes[16];
	unsigned bits;
	uint32_t mask;
	int end = 0;

	if (sscanf(text, "%45[0-9a-fA-F.:]/%3u%n", address, &bits, &end) != 2 || text[end] != '\0')
		return false;
	if (inet_pton(AF_INET6, address, bytes) == 1 && bits <= 128) {
		fprintf(out, "push \"route-ipv6 %s/%u\"\n", address, bits);
		return true;
	}
	if (inet_pton(AF_INET, address, bytes) != 1 || bits > 32)
		return false;
	mask = htonl(bits == 0 ? 0 : 0xffffffffu << (32 - bits));
	inet_ntop(AF_INET, &mask, netmask, sizeof(netmask));
	fprintf(out, "push \"route %s %s\"\n", address, netmask);
	return true;
}

static bool write_all(FILE *out, const json_t *profile, const char *member,
	bool (*write)(FILE *out, const char *text))
{
	const json_t *list = json_object_get(profile, member), *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (!json_is_string(item) || !write(out, json_string_value(item)))
			return false;
	}
	return json_is_array(list);
}

static void write_gateway(FILE *out, const struct address *own)
{
	char text[INET_ADDRSTRLEN];

	if (own->family == AF_INET)
		fprintf(out, "push \"route-gateway %s\"\n",
			inet_ntop(AF_INET, own->bytes, text, sizeof(text)));
}

bool pushed_read(const json_t *profile, const struct address *own, char **text)
{
	size_t len;
	bool fine = true;
	FILE *out = open_memstream(text, &len);

	if (out == NULL)
		BUG("no memory for settings");
	if (!json_is_null(profile)) {
		write_gateway(out, own);
		if (json_is_true(json_object_get(profile, "default_gateway")))
			fputs("push \"redirect-gateway def1 bypass-dhcp\"\n", out);
		fine = write_all(out, profile, "routes", write_route) &&
		       write_all(out, profile, "dns", write_dns) &&
		       write_all(out, profile, "search_domains", write_domain);
	}
	fclose(out);
	return fine;
}
