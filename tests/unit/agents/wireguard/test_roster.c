/* roster: what the portal says becomes an interface's configuration, and what was seen is told
 * once. */
#include "agents/wireguard/roster.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ID    "01a21592-3bef-73db-931a-07eceda2450e"
#define OTHER "01a21592-3bef-73db-931a-07eceda2450f"
#define KEY   "nmZ5ExqRpLgJV9yWKlaC7KQ7EAN7eRJ4XBz9eHJPmUU="
#define KEY2  "iWAHXts9w9fQVEbA5pVriPlAYMwwEPD5XcVCZDZn1AE="
#define PEER(id, key, ipv4, ipv6)                                                                  \
	"{\"id\": \"" id "\", \"public_key\": \"" key "\", \"ipv4\": \"" ipv4                      \
	"\", \"ipv6\": \"" ipv6 "\", \"expires_at\": 2000}"
#define PEERS(state, peers) "{\"state\": \"" state "\", \"peers\": [" peers "]}"
#define ONE		    PEER(ID, KEY, "10.9.0.2", "fd09::2")
#define SEEN		    "\t(none)\t192.0.2.1:4000\t-\t1700000000\t148\t92\toff\n"

static struct fetch_reply reply_of(unsigned status, const char *body)
{
	return (struct fetch_reply){ .status = status, .body = body, .len = strlen(body) };
}

/* The roster becomes what the reply says. */
static err_t take(struct roster *roster, const char *body, bool *same)
{
	struct fetch_reply reply = reply_of(200, body);
	struct roster next;
	struct fault fault;
	err_t err = roster_synced(&reply, roster, &next, same, &fault);

	if (err != OK || *same)
		return err;
	roster_finish(roster);
	*roster = next;
	return OK;
}

Test(roster, a_start)
{
	static const struct {
		const char *body;
		err_t want;
	} rows[] = {
		{ "{\"server\":{\"id\":\"" ID "\",\"port\":51820},\"run\":\"" ID "\",\"mtu\":1400}",
			OK },
		{ "{\"server\":{\"id\":\"" ID "\",\"port\":0},\"run\":\"" ID "\",\"mtu\":1400}",
			ERR_INVALID_ARGUMENT },
		{ "{\"server\":{\"id\":\"../x\",\"port\":1},\"run\":\"" ID "\",\"mtu\":1400}",
			ERR_INVALID_ARGUMENT },
		{ "{\"server\":{\"id\":\"" ID "\",\"port\":1},\"run\":\"" ID "\",\"mtu\":9}",
			ERR_INVALID_ARGUMENT },
		{ "{\"run\":\"" ID "\"}", ERR_INVALID_ARGUMENT },
		{ "[]", ERR_INVALID_ARGUMENT },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fetch_reply reply = reply_of(200, rows[i].body);
		struct roster_start start;
		struct fault fault;

		cr_expect(eq(int, roster_begun(&reply, &start, &fault), rows[i].want), "%zu", i);
	}
}

Test(roster, peers_become_a_configuration)
{
	struct roster_start start = { .port = 51820, .mtu = 1420 };
	struct wg_key key = { .secret = "SECRET" };
	struct roster roster = { 0 };
	bool same;
	char *text;

	cr_assert(eq(int,
		take(&roster, PEERS("ab", ONE "," PEER(OTHER, KEY2, "10.9.0.3", "")), &same), OK));
	cr_assert(not(same));
	text = roster_config(&roster, &start, &key);
	cr_expect(eq(str, text,
		"# Written by lanyard wireguard.\n[Interface]\nPrivateKey = SECRET\n"
		"ListenPort = 51820\n"
		"\n[Peer]\nPublicKey = " KEY "\nAllowedIPs = 10.9.0.2/32,fd09::2/128\n"
		"\n[Peer]\nPublicKey = " KEY2 "\nAllowedIPs = 10.9.0.3/32\n"));
	free(text);
	cr_assert(eq(int, take(&roster, PEERS("ab", ""), &same), OK));
	cr_expect(same, "the portal tells nothing of peers that are the same");
	cr_expect(eq(sz, roster.n, 2));
	cr_assert(eq(int, take(&roster, PEERS("cd", ""), &same), OK));
	cr_expect(eq(sz, roster.n, 0));
	roster_finish(&roster);
}

Test(roster, a_wrong_list_changes_nothing)
{
	static const char *const bodies[] = { "{}", "{\"state\":\"ab\"}",
		"{\"state\":\"\",\"peers\":[]}", "{\"state\":\"ab\",\"peers\":{}}",
		PEERS("ab", "1"), PEERS("ab", PEER(ID, "short", "10.9.0.2", "")),
		PEERS("ab", PEER(ID, KEY, "", "")), PEERS("ab", PEER(ID, KEY, "10.9.0.0/8", "")),
		PEERS("ab", PEER(ID, KEY, "10.9.0.2\\nPostUp = x", "")),
		PEERS("ab",
			PEER(ID, "nmZ5ExqRpLgJV9yWKlaC7KQ7EAN7eRJ4XBz9eHJPmU\\n=", "10.9.0.2", "")),
		PEERS("ab", PEER("x", KEY, "10.9.0.2", "")) };
	struct roster roster = { 0 };
	bool same;

	cr_assert(eq(int, take(&roster, PEERS("00", ONE), &same), OK));
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		cr_expect(eq(int, take(&roster, bodies[i], &same), ERR_INVALID_ARGUMENT), "%zu", i);
		cr_expect(eq(sz, roster.n, 1), "%zu", i);
	}
	roster_finish(&roster);
}

Test(roster, what_was_seen_outlives_a_change)
{
	struct roster roster = { 0 };
	bool same;

	cr_assert(eq(int, take(&roster, PEERS("00", ONE), &same), OK));
	roster_see(&roster, KEY2 SEEN KEY SEEN "nonsense\n");
	cr_expect(eq(u64, roster.peers[0].seen.bytes_in, 148));
	roster.peers[0].telling = true;
	cr_assert(eq(int,
		take(&roster, PEERS("11", PEER(OTHER, KEY2, "10.9.0.3", "") "," ONE), &same), OK));
	cr_expect(eq(str, roster.peers[1].seen.source, "192.0.2.1:4000"));
	cr_expect(eq(int,
		memcmp(&roster.peers[1].seen, &roster.peers[1].told, sizeof(struct wg_seen)), 0));
	cr_expect(eq(i64, roster.peers[0].seen.handshake_s, 0));
	roster_finish(&roster);
}

Test(roster, those_whose_time_is_over_go)
{
	struct roster roster = { 0 };
	bool same;

	cr_assert(eq(int, take(&roster, PEERS("00", ONE), &same), OK));
	cr_expect(not(roster_expire(&roster, 1999)));
	cr_expect(eq(str, roster.state, "00"));
	cr_expect(roster_expire(&roster, 2000));
	cr_expect(eq(sz, roster.n, 0));
	cr_expect(eq(str, roster.state, ""), "the portal is asked for all of them");
	roster_finish(&roster);
}
