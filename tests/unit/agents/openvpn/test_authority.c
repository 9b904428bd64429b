/* authority, config: what the portal says becomes a server's configuration and its answers. */
#include "agents/openvpn/authority.h"
#include "agents/openvpn/config.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID "01a21592-3bef-73db-931a-07eceda2450e"
#define START(host, protocol, mode, ta_key)                                                        \
	"{\"server\": {\"id\": \"" ID "\", \"host\": \"" host "\", \"port\": 1194,"                \
	" \"protocol\": \"" protocol "\", \"mode\": \"" mode "\", \"max_clients\": 250},"          \
	" \"run\": \"" ID "\", \"certificate\": \"\", \"trust\": \"T\","                           \
	" \"ta_key\": \"" ta_key "\", \"ipv4\": \"10.9.0.1/20\", \"ipv6\": \"fd09::1/64\","        \
	" \"mtu\": 1400, \"tls_crypt\": \"\", \"profile\": null}"

static struct fetch_reply reply_of(unsigned status, const char *body)
{
	return (struct fetch_reply){ .status = status, .body = body, .len = strlen(body) };
}

static err_t read_start(const char *body, struct vpn_start *start)
{
	struct fetch_reply reply = reply_of(200, body);
	struct fault fault;

	return authority_started(&reply, start, &fault);
}

static bool has_line(const char *text, const char *line)
{
	const char *found = strstr(text, line);

	return found != NULL && (found == text || found[-1] == '\n') && found[strlen(line)] == '\n';
}

Test(authority, a_start_becomes_a_configuration)
{
	struct vpn_start start;
	char *text;

	cr_assert(eq(int, read_start(START("vpn.example.org", "udp", "tap", ""), &start), OK));
	text = config_text(&start, "tap9");
	cr_assert(has_line(text, "dev tap9") && has_line(text, "dev-type tap"), "%s", text);
	cr_assert(has_line(text, "proto udp") && has_line(text, "client-to-client"), "%s", text);
	cr_assert(
		has_line(text, "management-client-auth") && !strstr(text, "tls-auth"), "%s", text);
	free(text);
	vpn_start_finish(&start);
	cr_assert(eq(int, read_start(START("h", "tcp", "tun", "K"), &start), OK));
	text = config_text(&start, "tun9");
	cr_assert(has_line(text, "proto tcp-server") && has_line(text, "dev-type tun"), "%s", text);
	cr_assert(has_line(text, "tls-auth ta.key 0"), "%s", text);
	free(text);
	vpn_start_finish(&start);
}

Test(authority, starts_that_are_none)
{
	static const char *const bodies[] = {
		"",
		"[]",
		"{}",
		START("h\\ndev null", "udp", "tap", ""),
		START("", "udp", "tap", ""),
		START("h", "sctp", "tap", ""),
		START("h", "udp", "tin", ""),
	};
	struct vpn_start start;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		cr_assert(eq(int, read_start(bodies[i], &start), ERR_INVALID_ARGUMENT), "%s",
			bodies[i]);
}

Test(authority, an_answer_becomes_settings_of_a_client)
{
	struct fetch_reply reply =
		reply_of(200, "{\"allowed\": true, \"reason\": \"\", \"connection\": \"" ID "\","
			      " \"ipv4\": \"10.9.0.7/20\", \"ipv6\": \"fd09::7/64\"}");
	struct vpn_decision decision;
	struct vpn_start start;
	struct fault fault;
	char *text;

	cr_assert(eq(int, read_start(START("h", "udp", "tap", ""), &start), OK));
	cr_assert(eq(int, authority_answered(&reply, &decision, &fault), OK));
	text = config_client(&start, &decision);
	cr_assert(eq(str, text,
		"ifconfig-push 10.9.0.7 255.255.240.0\nifconfig-ipv6-push fd09::7/64 "
		"fd09::1\nEND\n"));
	free(text);
	vpn_start_finish(&start);
}

/* It stands between quotes in a command. */
Test(authority, a_reason_can_not_end_its_command)
{
	struct fetch_reply reply = reply_of(
		200, "{\"allowed\": false, \"reason\": \"a\\\"b\\\\c\\nclient-auth 1 1\"}");
	struct vpn_decision decision;
	struct fault fault;

	cr_assert(eq(int, authority_answered(&reply, &decision, &fault), OK));
	cr_assert(not(decision.allowed));
	cr_assert(eq(str, decision.reason, "a'b'c'client-auth 1 1"));
}

static void count(void *context, const char *connection)
{
	cr_assert(eq(str, (char *)(uintptr_t)connection, ID));
	(*(int *)context)++;
}

Test(authority, who_has_to_go)
{
	struct fetch_reply reply = reply_of(200, "{\"unwelcome\": [\"" ID "\", \"x\", 7]}");
	struct fault fault;
	int n = 0;

	cr_assert(eq(int, authority_reported(&reply, count, &n, &fault), OK));
	cr_assert(eq(int, n, 1));
	reply = reply_of(200, "{}");
	cr_assert(eq(int, authority_reported(&reply, count, &n, &fault), ERR_INVALID_ARGUMENT));
}
