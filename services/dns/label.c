/* label: see label.h. */
#include "services/dns/label.h"

#include "lib/db.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#define EMAIL_MAX     254
#define LOCAL_MAX     64
#define ADDRESSES_MAX 8

static bool is_word_of(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (words += strspn(words, " "); *words != '\0'; words += strspn(words, " ")) {
		size_t step = strcspn(words, " ");

		if (step == len && memcmp(words, word, len) == 0)
			return true;
		words += step;
	}
	return false;
}

static bool is_name_server(const char *label)
{
	return strncmp(label, "ns", 2) == 0 && label[2 + strspn(label + 2, "0123456789")] == '\0';
}

/* Copies without the blanks around it, in lower case; false if it is no label. */
static bool canonical(const char *text, char label[LABEL_LEN])
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	if (len == 0 || len >= LABEL_LEN)
		return false;
	for (size_t i = 0; i < len; i++)
		label[i] = (char)tolower((unsigned char)text[i]);
	label[len] = '\0';
	return label[0] != '-' && label[len - 1] != '-' &&
	       strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

err_t label_check(struct call *call, const char *text, const char *zone, const char *reserved,
	char label[LABEL_LEN])
{
	if (!canonical(text, label))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "name",
			"expected 1 to 63 of a-z, 0-9 and -, not at either end");
	if (is_name_server(label) || is_word_of(reserved, label) || strncmp(label, "xn--", 4) == 0)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "name", "expected a name that is not reserved");
	if (strlen("_acme-challenge.") + strlen(label) + 1 + strlen(zone) >= DOMAIN_LEN - 1)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "name", "expected a shorter name in this zone");
	return OK;
}

/* The characters of an atom (RFC 5322), and dots between atoms. */
static bool local_part_is_fine(const char *text, size_t len)
{
	if (len == 0 || len > LOCAL_MAX || text[0] == '.' || text[len - 1] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) &&
			(text[i] == '\0' || strchr("!#$%&'*+-/=?^_`{|}~.", text[i]) == NULL))
			return false;
	return memmem(text, len, "..", 2) == NULL;
}

err_t label_check_email(struct call *call, const char *email)
{
	const char *at = strrchr(email, '@');
	char domain[DOMAIN_LEN];

	if (at == NULL || strlen(email) > EMAIL_MAX ||
		!local_part_is_fine(email, (size_t)(at - email)) ||
		!domain_normalise(at + 1, domain) || domain[0] == '*' || at[strlen(at) - 1] == '.')
		return call_refuse(call, ERR_INVALID_ARGUMENT, "email",
			"expected one mail address of at most %d bytes", EMAIL_MAX);
	return OK;
}

static bool in_ipv4(const struct in_addr *address, uint32_t network, int bits)
{
	return (ntohl(address->s_addr) ^ network) >> (32 - bits) == 0;
}

/* Reachable by neighbours only: private, link-local, unique local; not loopback. */
static bool is_private(int family, const void *bytes)
{
	const struct in6_addr *six = bytes;

	if (family == AF_INET)
		return in_ipv4(bytes, 0x0a000000, 8) || in_ipv4(bytes, 0xac100000, 12) ||
		       in_ipv4(bytes, 0xc0a80000, 16) || in_ipv4(bytes, 0xa9fe0000, 16) ||
		       in_ipv4(bytes, 0x64400000, 10);
	return (six->s6_addr[0] & 0xfe) == 0xfc || IN6_IS_ADDR_LINKLOCAL(six);
}

static bool address_parse(const char *text, char canonical_text[ADDRESS_LEN], bool *private_too)
{
	unsigned char bytes[16];
	int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;

	if (inet_pton(family, text, bytes) != 1)
		return false;
	*private_too = is_private(family, bytes);
	return inet_ntop(family, bytes, canonical_text, ADDRESS_LEN) != NULL;
}

err_t label_check_addresses(struct call *call, const char *text, bool public_too, const char **list)
{
	char *copy = arena_strdup(call->arena, text), *rest = copy, *word;
	char *texts[ADDRESSES_MAX];
	size_t n = 0;

	while ((word = strsep(&rest, ",")) != NULL && *text != '\0') {
		char address[ADDRESS_LEN];
		bool is_near;

		if (n == ADDRESSES_MAX || !address_parse(word, address, &is_near) ||
			(!is_near && !public_too))
			return call_refuse(call, ERR_INVALID_ARGUMENT, "local_ip",
				"expected up to %d IP addresses of %s, separated by commas",
				ADDRESSES_MAX, public_too ? "any network" : "private networks");
		texts[n++] = arena_strdup(call->arena, address);
	}
	*list = db_array(call->arena, n, texts);
	return OK;
}

const char *label_address(struct call *call, const char *text)
{
	char *copy = arena_strdup(call->arena, text);
	char address[ADDRESS_LEN];
	bool is_near;

	copy[strcspn(copy, "%")] = '\0';
	return address_parse(copy, address, &is_near) ? arena_strdup(call->arena, address) : "";
}
