/* words: what profiles and notices are made of, and what is refused with the name of its field. */
#include "services/provision/profile/words.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

static struct call call;

static void setup(void)
{
	call_init(&call, NULL, "test", 1000);
}

static void teardown(void)
{
	call_finish(&call);
}

TestSuite(profile_words, .init = setup, .fini = teardown);

Test(profile_words, names_of_profiles_are_those_that_apps_take)
{
	char long_name[] = "0123456789012345678901234567890123456789012345678901234567890123x";

	cr_expect(words_is_profile_id("internet"));
	cr_expect(words_is_profile_id("A-z.09"));
	cr_expect(not(words_is_profile_id("")));
	cr_expect(not(words_is_profile_id("a/b")));
	cr_expect(not(words_is_profile_id("a b")));
	cr_expect(not(words_is_profile_id("\xc3\xa9")));
	cr_expect(not(words_is_profile_id(long_name)));
	long_name[64] = '\0';
	cr_expect(words_is_profile_id(long_name));
}

struct row {
	const char *text; /* elements with '|' between them */
	err_t want;
};

static size_t split(const char *text, char *list[])
{
	size_t n = 0;

	for (char *at = arena_strdup(call.arena, text); at != NULL && *text != '\0';)
		list[n++] = strsep(&at, "|");
	return n;
}

static void check_rows(const struct row rows[], size_t n_rows,
	err_t (*check)(struct call *, size_t, char *const[]), const char *field)
{
	for (size_t i = 0; i < n_rows; i++) {
		char *list[80];
		size_t n = split(rows[i].text, list);

		cr_expect(
			eq(int, (int)check(&call, n, list), (int)rows[i].want), "%s", rows[i].text);
		if (rows[i].want != OK)
			cr_expect(eq(str, call.fault.field, (char *)field), "%s", rows[i].text);
	}
}

Test(profile_words, ports)
{
	static const struct row rows[] = {
		{ "udp/1194", OK },
		{ "udp/1|tcp/65535|tcp/443", OK },
		{ "", ERR_INVALID_ARGUMENT },
		{ "udp/0", ERR_INVALID_ARGUMENT },
		{ "udp/65536", ERR_INVALID_ARGUMENT },
		{ "udp/01", ERR_INVALID_ARGUMENT },
		{ "udp/", ERR_INVALID_ARGUMENT },
		{ "udp", ERR_INVALID_ARGUMENT },
		{ "sctp/1", ERR_INVALID_ARGUMENT },
		{ "udp/1|udp/1", ERR_INVALID_ARGUMENT },
		{ "udp/11|udp/1", OK },
		{ "udp/1|udp/2|udp/3|udp/4|udp/5|udp/6|udp/7|udp/8|udp/9|udp/10|udp/11|udp/12|"
		  "udp/13|udp/14|udp/15|udp/16|udp/17",
			ERR_INVALID_ARGUMENT },
	};

	check_rows(rows, ARRAY_LEN(rows), words_check_ports, "ports");
}

Test(profile_words, protocols)
{
	static const struct row rows[] = {
		{ "", OK },
		{ "openvpn", OK },
		{ "wireguard|openvpn", OK },
		{ "openvpn|openvpn", ERR_INVALID_ARGUMENT },
		{ "openvpn|wireguard|ipsec", ERR_INVALID_ARGUMENT },
		{ "WireGuard", ERR_INVALID_ARGUMENT },
	};

	check_rows(rows, ARRAY_LEN(rows), words_check_protocols, "protocols");
}

Test(profile_words, routes_and_name_servers)
{
	static const struct row routes[] = {
		{ "", OK },
		{ "10.0.0.0/8|fd00::/8|0.0.0.0/0", OK },
		{ "10.0.0.1/8", ERR_INVALID_ARGUMENT },
		{ "10.0.0.0", ERR_INVALID_ARGUMENT },
		{ "10.0.0.0/33", ERR_INVALID_ARGUMENT },
		{ "x", ERR_INVALID_ARGUMENT },
	};
	static const struct row servers[] = {
		{ "", OK },
		{ "9.9.9.9|2620:fe::fe", OK },
		{ "9.9.9.9/32", ERR_INVALID_ARGUMENT },
		{ "dns.example.org", ERR_INVALID_ARGUMENT },
		{ "1.1.1.1|1.1.1.2|1.1.1.3|1.1.1.4|1.1.1.5|1.1.1.6|1.1.1.7|1.1.1.8|1.1.1.9",
			ERR_INVALID_ARGUMENT },
	};

	check_rows(routes, ARRAY_LEN(routes), words_check_routes, "routes");
	check_rows(servers, ARRAY_LEN(servers), words_check_dns, "dns");
}

static err_t check_translations(struct call *of, size_t n, char *const texts[])
{
	return words_check_translations(of, n, texts, 10);
}

Test(profile_words, translations)
{
	static const struct row rows[] = {
		{ "", OK },
		{ "nl-NL=Kantoor|de=B=C", OK },
		{ "nl", ERR_INVALID_ARGUMENT },
		{ "=x", ERR_INVALID_ARGUMENT },
		{ "nl=", ERR_INVALID_ARGUMENT },
		{ "nl=a|nl=b", ERR_INVALID_ARGUMENT },
		{ "nl-NL=a|nl=b", OK },
		{ "n\"l=a", ERR_INVALID_ARGUMENT },
		{ "nl=01234567890", ERR_INVALID_ARGUMENT },
		{ "nl=a\nb", ERR_INVALID_ARGUMENT },
	};

	check_rows(rows, ARRAY_LEN(rows), check_translations, "translations");
}

Test(profile_words, hosts)
{
	static const char *const good[] = { "vpn.example.org", "a", "192.0.2.1", "2001:db8::1" };
	static const char *const bad[] = { "", ".", "a..b", "a.", "A.example", "a b", "a\nremote x",
		"[::1]" };

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		cr_expect(
			eq(int, (int)words_check_host(&call, "host", good[i]), OK), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect(
			eq(int, (int)words_check_host(&call, "host", bad[i]), ERR_INVALID_ARGUMENT),
			"%s", bad[i]);
}
