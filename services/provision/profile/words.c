/* words: see words.h. */
#include "services/provision/profile/words.h"

#include "lib/check.h"
#include "services/provision/address.h"

#include <stdlib.h>
#include <string.h>

#define HOST_MAX	 253
#define TRANSLATIONS_MAX 32
#define LANGUAGE_MAX	 35 /* bytes of a tag (RFC 5646 section 4.4.1) */
#define PORTS_MAX	 16
#define PROTOCOLS_MAX	 2
#define ROUTES_MAX	 64
#define DNS_MAX		 8

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS	"0123456789"

bool words_is_profile_id(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= WORDS_PROFILE_ID_MAX && strspn(text, LETTERS DIGITS "-.") == len;
}

static bool is_address(const char *text)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* The bytes before the first `len` ones come in an earlier text of the list, too. */
static bool comes_before(char *const texts[], size_t i, size_t len)
{
	for (size_t k = 0; k < i; k++)
		if (strncmp(texts[k], texts[i], len) == 0)
			return true;
	return false;
}

err_t words_check_translations(struct call *call, size_t n, char *const texts[], size_t max)
{
	err_t err = OK;

	for (size_t i = 0; err == OK && i < n; i++) {
		size_t len = strspn(texts[i], LETTERS DIGITS "-");

		if (n > TRANSLATIONS_MAX || len == 0 || len > LANGUAGE_MAX || texts[i][len] != '=')
			return call_refuse(call, ERR_INVALID_ARGUMENT, "translations",
				"expected at most %d like nl-NL=TEXT", TRANSLATIONS_MAX);
		if (comes_before(texts, i, len + 1))
			return call_refuse(call, ERR_INVALID_ARGUMENT, "translations",
				"expected each language once");
		err = check_text(call, "translations", texts[i] + len + 1, 1, max);
	}
	return err;
}

err_t words_check_host(struct call *call, const char *field, const char *host)
{
	return is_address(host) ? OK : check_host_name(call, field, host, HOST_MAX);
}

static bool is_port(const char *text)
{
	const char *number = text + 4;

	return (strncmp(text, "udp/", 4) == 0 || strncmp(text, "tcp/", 4) == 0) && *number >= '1' &&
	       *number <= '9' && strspn(number, DIGITS) == strlen(number) && strlen(number) <= 5 &&
	       atoi(number) <= 65535;
}

err_t words_check_protocols(struct call *call, size_t n, char *const protocols[])
{
	bool good = n <= PROTOCOLS_MAX;

	for (size_t i = 0; good && i < n; i++)
		good = (strcmp(protocols[i], "openvpn") == 0 ||
			       strcmp(protocols[i], "wireguard") == 0) &&
		       !comes_before(protocols, i, strlen(protocols[i]) + 1);
	if (good)
		return OK;
	return call_refuse(call, ERR_INVALID_ARGUMENT, "protocols",
		"expected openvpn, wireguard or both, the preferred one first");
}

err_t words_check_ports(struct call *call, size_t n, char *const ports[])
{
	bool good = n >= 1 && n <= PORTS_MAX;

	for (size_t i = 0; good && i < n; i++)
		good = is_port(ports[i]) && !comes_before(ports, i, strlen(ports[i]) + 1);
	if (good)
		return OK;
	return call_refuse(call, ERR_INVALID_ARGUMENT, "ports",
		"expected 1 to %d like udp/1194 or tcp/443, each once", PORTS_MAX);
}

static bool is_route(const char *text)
{
	int families[] = { AF_INET, AF_INET6 };
	struct address_range range;

	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (address_range_parse(&range, families[i], text))
			return !address_range_trim(&range);
	return false;
}

err_t words_check_routes(struct call *call, size_t n, char *const routes[])
{
	bool good = n <= ROUTES_MAX;

	for (size_t i = 0; good && i < n; i++)
		good = is_route(routes[i]);
	if (good)
		return OK;
	return call_refuse(call, ERR_INVALID_ARGUMENT, "routes",
		"expected at most %d ranges like 10.0.0.0/8, with no bit set after the prefix",
		ROUTES_MAX);
}

err_t words_check_dns(struct call *call, size_t n, char *const addresses[])
{
	bool good = n <= DNS_MAX;

	for (size_t i = 0; good && i < n; i++)
		good = is_address(addresses[i]);
	if (good)
		return OK;
	return call_refuse(
		call, ERR_INVALID_ARGUMENT, "dns", "expected at most %d addresses", DNS_MAX);
}
