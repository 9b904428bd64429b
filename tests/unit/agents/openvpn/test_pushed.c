/* pushed: a profile becomes lines of a configuration, and nothing in it can become another line. */
#include "agents/openvpn/pushed.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>
#include <sys/socket.h>

#define PROFILE(routes, dns, domains)                                                              \
	"{\"default_gateway\": true, \"routes\": [" routes "], \"dns\": [" dns                     \
	"], \"search_domains\": [" domains "]}"

static bool push(const char *profile, char **text)
{
	json_t *object = json_loads(profile, JSON_DECODE_ANY, NULL);
	struct address own;
	bool fine;

	cr_assert(address_read(&own, AF_INET, "10.9.0.1/24"));
	fine = pushed_read(object, &own, text);
	json_decref(object);
	return fine;
}

Test(pushed, a_profile)
{
	char *text;

	cr_assert(push(PROFILE("\"10.0.0.0/8\", \"fd00::/8\"", "\"9.9.9.9\", \"2620:fe::fe\"",
			       "\"example.org\""),
		&text));
	cr_assert(eq(str, text,
		"push \"route-gateway 10.9.0.1\"\n"
		"push \"redirect-gateway def1 bypass-dhcp\"\n"
		"push \"route 10.0.0.0 255.0.0.0\"\n"
		"push \"route-ipv6 fd00::/8\"\n"
		"push \"dhcp-option DNS 9.9.9.9\"\n"
		"push \"dhcp-option DNS 2620:fe::fe\"\n"
		"push \"dhcp-option DOMAIN-SEARCH example.org\"\n"));
	free(text);
	cr_assert(push("null", &text));
	cr_assert(eq(str, text, ""));
	free(text);
}

Test(pushed, what_can_not_stand_in_a_line)
{
	static const char *const profiles[] = {
		"{}",
		"7",
		PROFILE("\"10.0.0.0\"", "", ""),
		PROFILE("\"10.0.0.0/33\"", "", ""),
		PROFILE("\"10.0.0.0/8\\nup /bin/sh\"", "", ""),
		PROFILE("", "\"9.9.9.9\\\"\"", ""),
		PROFILE("", "7", ""),
		PROFILE("", "", "\"a b\""),
		PROFILE("", "", "\"\""),
	};
	char *text;

	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		cr_assert(not(push(profiles[i], &text)), "%s", profiles[i]);
		free(text);
	}
}
