/*
 * control: the status page byte for byte as vpn-ws writes it.
 */
#include "dataplane/vpnws/control.h"
#include "lib/mem.h"

#include <criterion/criterion.h>
#include <jansson.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEAD(status)                                                                               \
	"HTTP/1.0 " status " OK\r\nConnection: close\r\n"                                          \
	"Cache-Control: no-cache, no-store, must-revalidate\r\nPragma: no-cache\r\nExpires: 0\r\n" \
	"Content-Type: application/json\r\n\r\n"

static void use_utc(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
}

TestSuite(control, .init = use_utc);

Test(control, finds_the_peer_to_end)
{
	const struct {
		const char *query;
		bool kill;
		uint32_t id;
	} rows[] = {
		{ "", false, 0 },
		{ "kill", false, 0 },
		{ "kill=", false, 0 }, /* as vpn-ws: an empty value is no kill */
		{ "skill=3", false, 0 },
		{ "x=kill=3", false, 0 },
		{ "kill=7", true, 7 },
		{ "kill=007", true, 7 },
		{ "a=b&kill=12", true, 12 },
		{ "kill=12&a=b", true, 12 },
		{ "&&kill=&kill=5", true, 5 },
		{ "kill=5&kill=6", true, 5 },
		{ "kill=x", true, 0 },
		{ "kill=-1", true, 0 },
		{ "kill=5x", true, 0 },
		{ "kill=4294967295", true, UINT32_MAX },
		{ "kill=4294967296", true, 0 },
		{ "kill=99999999999999999999999999", true, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t id = 0;

		cr_assert_eq(
			control_is_kill(rows[i].query, &id), rows[i].kill, "%s", rows[i].query);
		cr_assert_eq(id, rows[i].id, "%s", rows[i].query);
	}
}

Test(control, writes_a_peer_as_vpn_ws_does)
{
	const uint64_t macs[] = { 0x027777777777, 0x027777777776 };
	const struct control_peer peers[] = {
		{ .id = 6,
			.mac = 0xee25faab25e6,
			.address = "10.91.2.2",
			.user = "foo",
			.dn = "CN=client01,O=Acme",
			.since_s = 1795329740,
			.tx = 1301,
			.rx = 1366 },
		{ .id = 7,
			.mac = 0x020000000001,
			.address = "",
			.user = "",
			.dn = "",
			.bridge = true,
			.macs = macs,
			.n_macs = ARRAY_LEN(macs) },
	};
	AUTO_FREE char *none = control_list(NULL, 0);
	AUTO_FREE char *two = control_list(peers, 2);

	cr_assert_str_eq(none, HEAD("200") "{\"status\":\"ok\",\"peers\":[]}");
	cr_assert_str_eq(two,
		HEAD("200") "{\"status\":\"ok\",\"peers\":["
			    "{\"id\":6,\"MAC\":\"EE:25:FA:AB:25:E6\",\"REMOTE_ADDR\":\"10.91.2.2\","
			    "\"REMOTE_USER\":\"foo\",\"DN\":\"CN=client01,O=Acme\","
			    "\"ts\":\"Sun Nov 22 06:42:20 2026\",\"bridge\":0,\"macs\":[],"
			    "\"unix\":1795329740,\"tx\":1301,\"rx\":1366},"
			    "{\"id\":7,\"MAC\":\"02:00:00:00:00:01\",\"REMOTE_ADDR\":\"\","
			    "\"REMOTE_USER\":\"\",\"DN\":\"\",\"ts\":\"Thu Jan  1 00:00:00 1970\","
			    "\"bridge\":1,\"macs\":[\"02:77:77:77:77:77\",\"02:77:77:77:77:76\"],"
			    "\"unix\":0,\"tx\":0,\"rx\":0}]}");
}

/* Of control characters vpn-ws escapes \t, \n and \r only and is no JSON with the others; of bytes
 * that are no UTF-8 it makes no JSON either. */
Test(control, is_json_whatever_the_texts_are)
{
	struct control_peer peer = {
		.id = 1, .address = "", .user = "a\"b\\c\td\ne\rf/", .dn = ""
	};
	AUTO_FREE char *usual = control_list(&peer, 1);
	AUTO_FREE char *control = NULL;
	AUTO_FREE char *latin1 = NULL;
	json_t *parsed;

	cr_assert_not_null(strstr(usual, "\"REMOTE_USER\":\"a\\\"b\\\\c\\td\\ne\\rf/\""));
	peer.user = "\x01\x7f";
	control = control_list(&peer, 1);
	cr_assert_not_null(strstr(control, "\"REMOTE_USER\":\"\\u0001\x7f\""));
	peer.user = "J\xfcrgen";
	latin1 = control_list(&peer, 1);
	cr_assert_not_null(strstr(latin1, "\"REMOTE_USER\":\"J\xc3\xbcrgen\""));
	parsed = json_loads(strchr(latin1, '{'), 0, NULL);
	cr_assert_not_null(parsed);
	json_decref(parsed);
}

/* vpn-ws overwrites its heap from about 45 peers, or 400 stations of a bridge, on. */
Test(control, has_no_limit)
{
	static uint64_t macs[20000];
	static struct control_peer peers[1000];
	AUTO_FREE char *reply = NULL;
	json_t *parsed;

	for (size_t i = 0; i < ARRAY_LEN(macs); i++)
		macs[i] = 0x020000000000 + i;
	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		peers[i] = (struct control_peer){
			.id = (uint32_t)i, .address = "", .user = "", .dn = ""
		};
	peers[999].macs = macs;
	peers[999].n_macs = ARRAY_LEN(macs);
	reply = control_list(peers, ARRAY_LEN(peers));
	parsed = json_loads(strchr(reply, '{'), 0, NULL);
	cr_assert_eq(json_array_size(json_object_get(parsed, "peers")), 1000);
	cr_assert_eq(json_array_size(json_object_get(
			     json_array_get(json_object_get(parsed, "peers"), 999), "macs")),
		20000);
	json_decref(parsed);
}

Test(control, tells_what_became_of_a_kill)
{
	cr_assert_str_eq(control_killed(true), HEAD("200") "{\"status\":\"ok\"}");
	cr_assert_str_eq(control_killed(false), HEAD("404") "{\"status\":\"not found\"}");
}
