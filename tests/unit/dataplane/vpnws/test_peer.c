/*
 * peer: what clients of vpn-ws may claim, directly and behind a proxy.
 */
#include "dataplane/vpnws/peer.h"
#include "lib/mem.h"

#include <criterion/criterion.h>

#include <string.h>

#define TENANT	"018f0000-0000-7000-8000-0000000000aa"
#define NETWORK "018f0000-0000-7000-8000-0000000000bb"

Test(peer, headers_fill_what_the_member_leaves_open)
{
	const struct {
		const char *fixed; /* the member's address */
		uint32_t mac_limit;
		bool may_bridge;
		const char *mac, *bridge;
		unsigned status;
		const char *want;
	} rows[] = {
		{ "", 1, false, NULL, NULL, 0, "" }, { "", 1, false, "", "", 0, "" },
		{ "", 1, false, "ee:25:fa:ab:25:e6", NULL, 0, "ee:25:fa:ab:25:e6" },
		{ "", 1, false, "EE-25-FA-AB-25-E6", NULL, 0, "EE:25:FA:AB:25:E6" },
		{ "ee:25:fa:ab:25:e6", 1, false, "EE:25:FA:AB:25:E6", NULL, 0,
			"ee:25:fa:ab:25:e6" },
		{ "02:00:00:00:00:01", 1, false, "ee:25:fa:ab:25:e6", NULL, 403, NULL },
		{ "02:00:00:00:00:01", 2, false, "ee:25:fa:ab:25:e6", NULL, 0,
			"02:00:00:00:00:01" },
		{ "", 1, false, "ee:25:fa:ab:25", NULL, 400, NULL },
		{ "", 1, false, "ee:25:fa:ab:25:e6:77", NULL, 400, NULL },
		{ "", 1, false, "ee:25:fa:ab:25:ex", NULL, 400, NULL },
		{ "", 1, false, "ee.25.fa.ab.25.e6", NULL, 400, NULL },
		{ "", 1, false, "00:00:00:00:00:00", NULL, 400, NULL },
		{ "", 1, false, "ff:ff:ff:ff:ff:ff", NULL, 400, NULL },
		{ "", 1, false, "01:00:5e:00:00:01", NULL, 400, NULL },
		{ "", 1, false, NULL, "on", 403, NULL }, { "", 1, true, NULL, "on", 0, "" },
		{ "", 1, false, NULL, "off", 0, "" },
		{ "", 1, false, NULL, "ON", 0, "" }, /* vpn-ws knows "on" only */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct token_claims claims = { .bridge = rows[i].may_bridge,
			.mac_limit = rows[i].mac_limit };
		const char *why = "";

		strcpy(claims.mac, rows[i].fixed);
		cr_assert_eq(peer_apply_headers(&claims, rows[i].mac, rows[i].bridge, &why),
			rows[i].status, "row %zu", i);
		if (rows[i].want)
			cr_assert_str_eq(claims.mac, rows[i].want, "row %zu", i);
		cr_assert_eq(*why != '\0', rows[i].status != 0, "row %zu", i);
	}
}

static const struct peer_rules open_rules = {
	.tenant = TENANT, .network = NETWORK, .bridges = true
};
static const struct peer_rules closed_rules = {
	.tenant = TENANT, .network = NETWORK, .no_broadcast = true
};

static struct token_claims claims_of(const char *user, const char *dn, const char *mac)
{
	struct uwsgi_request request = { 0 };
	struct token_claims claims;
	const char *why;

	strcpy(request.user, user);
	strcpy(request.dn, dn);
	strcpy(request.mac, mac);
	cr_assert_eq(peer_claims(&claims, &open_rules, &request, &why), 0);
	return claims;
}

Test(peer, behind_a_proxy_is_a_member_of_the_network)
{
	struct token_claims claims = claims_of("foo", "", "ee:25:fa:ab:25:e6");

	cr_assert_str_eq(claims.tenant, TENANT);
	cr_assert_str_eq(claims.network, NETWORK);
	cr_assert_str_eq(claims.subject, "proxy:foo");
	cr_assert_str_eq(claims.mac, "ee:25:fa:ab:25:e6");
	cr_assert_eq(claims.mac_limit, 1);
	cr_assert_not(claims.bridge);
	cr_assert_not(claims.dhcp_server);
	cr_assert_eq(strlen(claims.member), 36);
	claims = claims_of("", "CN=client01,O=Acme", "ee:25:fa:ab:25:e6");
	cr_assert_str_eq(claims.subject, "proxy:CN=client01,O=Acme");
}

/* In vpn-ws the older connection keeps all the traffic, and anybody may claim any address. */
Test(peer, only_the_same_user_with_the_same_address_is_the_same_member)
{
	const char *first = "ee:25:fa:ab:25:e6", *other = "ee:25:fa:ab:25:e7";
	struct token_claims claims = claims_of("foo", "", first);

	cr_assert_str_eq(claims.member, claims_of("foo", "", first).member);
	cr_assert_str_neq(claims.member, claims_of("bar", "", first).member);
	cr_assert_str_neq(claims.member, claims_of("foo", "CN=x", first).member);
	cr_assert_str_neq(claims.member, claims_of("foo", "", other).member);
	cr_assert_str_neq(claims_of("foo", "", "").member, claims_of("foo", "", "").member);
}

Test(peer, is_a_bridge_where_that_is_allowed)
{
	struct uwsgi_request request = { .bridge = "on" };
	struct token_claims claims;
	const char *why;

	cr_assert_eq(peer_claims(&claims, &closed_rules, &request, &why), 403);
	cr_assert_eq(peer_claims(&claims, &open_rules, &request, &why), 0);
	cr_assert(claims.bridge);
	cr_assert(claims.dhcp_server && claims.router);
	cr_assert_gt(claims.mac_limit, 1000);
	cr_assert_eq(claims.network_version, 0);
}

Test(peer, options_of_the_node_win_over_rules_of_the_network)
{
	struct uwsgi_request request = { 0 };
	struct token_claims claims;
	const char *why;

	cr_assert_eq(peer_claims(&claims, &closed_rules, &request, &why), 0);
	cr_assert(claims.no_broadcast);
	cr_assert_not(claims.no_multicast);
	cr_assert_eq(claims.network_version, INT64_MAX);
}
