/* reply: an attachment and an enrolment as the portal sends them, and each way in which they can be
 * wrong. */
#include "agents/reply.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define UUID "0199a000-0000-7000-8000-000000000001"

static const struct member {
	const char *name, *value;
} usual[] = {
	{ "access_token", "\"eyJhbGciOiJFZERTQSJ9.e30.c2ln\"" },
	{ "expires_in", "600" },
	{ "tenant", "\"" UUID "\"" },
	{ "network", "\"" UUID "\"" },
	{ "network_name", "\"office\"" },
	{ "member", "\"" UUID "\"" },
	{ "name", "\"alpha\"" },
	{ "mac", "\"02:00:5e:10:00:01\"" },
	{ "ipv4", "\"10.77.0.1/24\"" },
	{ "ipv6", "\"fd00::1/64\"" },
	{ "mtu", "1400" },
	{ "urls", "[\"wss://a:9443/l2\", \"wss://b/l2\"]" },
	{ "later", "{\"is\": [\"ignored\"]}" },
};

/* The usual attachment, with `other` in the place of the member of that name; a NULL value leaves
 * it out. */
static err_t read_with(
	const struct member *other, struct attachment *attachment, struct fault *fault)
{
	char body[16384] = "{";

	for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
		bool replaced = strcmp(usual[i].name, other->name) == 0;
		const char *value = replaced ? other->value : usual[i].value;
		size_t len = strlen(body);

		if (value != NULL)
			snprintf(body + len, sizeof(body) - len, "%s\"%s\": %s",
				len > 1 ? ", " : "", usual[i].name, value);
	}
	strcat(body, "}");
	return reply_attachment(attachment, body, strlen(body), fault);
}

Test(reply, takes_an_attachment)
{
	struct attachment attachment = { 0 };
	struct fault fault;

	cr_assert(read_with(&(struct member){ "", NULL }, &attachment, &fault) == OK);
	cr_expect_str_eq(attachment.network, "office");
	cr_expect_eq(attachment.expires_in_s, 600);
	cr_expect_eq(attachment.mtu, 1400);
	cr_expect_arr_eq(attachment.mac, "\x02\x00\x5e\x10\x00\x01", 6);
	cr_expect(!attachment.own_mac);
	cr_expect_eq(attachment.ipv4.family, AF_INET);
	cr_expect_eq(attachment.ipv4.prefix_len, 24);
	cr_expect_arr_eq(attachment.ipv4.bytes, "\x0a\x4d\x00\x01", 4);
	cr_expect_str_eq(attachment.ipv6.text, "fd00::1/64");
	cr_expect_eq(attachment.n_urls, 2);
	cr_expect_str_eq(attachment.urls[1].host, "b");
}

Test(reply, takes_what_an_attachment_may_be)
{
	static const struct member rows[] = {
		{ "ipv4", "\"\"" },
		{ "ipv4", NULL },
		{ "ipv6", "\"\"" },
		{ "ipv4", "\"10.77.0.1/32\"" },
		{ "ipv6", "\"2001:db8::/128\"" },
		{ "mtu", "1280" },
		{ "mtu", "9000" },
		{ "urls", "[\"wss://[::1]:1/\"]" },
		{ "mac", "\"fe:ff:ff:ff:ff:ff\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct attachment attachment;
		struct fault fault = { 0 };

		cr_expect(read_with(&rows[i], &attachment, &fault) == OK, "%s: %s", rows[i].value,
			fault.detail);
	}
}

Test(reply, leaves_an_open_mac_address_to_the_device)
{
	struct attachment attachment;
	struct fault fault = { 0 };

	cr_assert(read_with(&(struct member){ "mac", "\"\"" }, &attachment, &fault) == OK, "%s",
		fault.detail);
	cr_expect(attachment.own_mac);
	cr_expect(read_with(&(struct member){ "mac", NULL }, &attachment, &fault) != OK);
}

Test(reply, refuses_an_attachment_that_is_wrong)
{
	static const struct member rows[] = {
		{ "access_token", NULL },
		{ "access_token", "7" },
		{ "access_token", "\"\"" },
		{ "access_token", "\"a b c d e f g h i j k l\"" },
		{ "access_token", "\"aaaaaaaaaaaaaaaaaaaa\\n\"" },
		{ "access_token", "\"aaaaaaaaaaaaaaaaaaaa\\u0000\"" },
		{ "expires_in", "0" },
		{ "expires_in", "-1" },
		{ "expires_in", "1e99" },
		{ "expires_in", "18446744073709551616" },
		{ "expires_in", "\"600\"" },
		{ "expires_in", "86401" },
		{ "tenant", "\"x\"" },
		{ "tenant", "\"" UUID "0\"" },
		{ "network_name", "\"\"" },
		{ "network_name", "\"a b\"" },
		{ "name", "\"\\u001b[2J\"" },
		{ "name", "null" },
		{ "mac", "\"00:00:00:00:00:00\"" },
		{ "mac", "\"01:00:5e:00:00:01\"" },
		{ "mac", "\"02:00:5e:10:00:0\"" },
		{ "mac", "\"02:00:5e:10:00:011\"" },
		{ "mac", "\"2:00:5e:10:000:01\"" },
		{ "mac", "\"02:00:5E:10:00:01\"" },
		{ "ipv4", "\"10.77.0.1\"" },
		{ "ipv4", "\"10.77.0.1/\"" },
		{ "ipv4", "\"10.77.0.1/0\"" },
		{ "ipv4", "\"10.77.0.1/33\"" },
		{ "ipv4", "\"10.77.0.1/2a\"" },
		{ "ipv4", "\"10.77.0.1/ 24\"" },
		{ "ipv4", "\"10.77.0/24\"" },
		{ "ipv4", "\"fd00::1/64\"" },
		{ "ipv4", "\"127.0.0.1/8\"" },
		{ "ipv4", "\"0.0.0.0/8\"" },
		{ "ipv4", "\"224.0.0.1/24\"" },
		{ "ipv4", "\"255.255.255.255/32\"" },
		{ "ipv4", "24" },
		{ "ipv4", "[]" },
		{ "ipv4", "\"/24\"" },
		{ "ipv4", "\"10.77.0.1/99999999999\"" },
		{ "ipv6", "\"10.77.0.1/24\"" },
		{ "ipv6", "\"::/64\"" },
		{ "ipv6", "\"::1/128\"" },
		{ "ipv6", "\"ff02::1/64\"" },
		{ "ipv6", "\"fd00::1/129\"" },
		{ "ipv6", "\"fd00::1%lo/64\"" },
		{ "mtu", "1279" },
		{ "mtu", "9001" },
		{ "mtu", "1400.0" },
		{ "mtu", "true" },
		{ "mtu", NULL },
		{ "urls", "[]" },
		{ "urls", NULL },
		{ "urls", "\"wss://a/\"" },
		{ "urls", "[7]" },
		{ "urls", "[\"ws://a/\"]" },
		{ "urls", "[\"wss://a/\", \"\"]" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct attachment attachment;
		struct fault fault = { 0 };

		cr_expect(read_with(&rows[i], &attachment, &fault) == ERR_INVALID_ARGUMENT,
			"%s: %s", rows[i].name, rows[i].value);
		cr_expect(strstr(fault.detail, rows[i].name) != NULL ||
				  strstr(fault.detail, "a JSON object") != NULL,
			"%s: %s", rows[i].name, fault.detail);
	}
}

Test(reply, refuses_what_is_no_object)
{
	static const char *const rows[] = { "", "{", "[]", "null", "7", "\"x\"", "{}x",
		"{\"a\": 1, \"a\": 2}", "\xff", "{\"\xff\": 1}" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct attachment attachment;
		struct enrolment enrolment;
		struct fault fault;

		cr_expect(reply_attachment(&attachment, rows[i], strlen(rows[i]), &fault) != OK);
		cr_expect(reply_enrolment(&enrolment, rows[i], strlen(rows[i]), &fault) != OK);
	}
}

Test(reply, takes_an_enrolment)
{
	static const char body[] =
		"{\"tenant\": \"" UUID "\", \"device\": \"" UUID "\", \"name\": \"alpha\","
		"\"secret\": \"lyd_0123456789abcdefghij\", \"state\": \"pending\"}";
	struct enrolment enrolment;
	struct fault fault;

	cr_assert(reply_enrolment(&enrolment, body, strlen(body), &fault) == OK);
	cr_expect_str_eq(enrolment.device, UUID);
	cr_expect_str_eq(enrolment.secret, "lyd_0123456789abcdefghij");
	cr_expect_str_eq(enrolment.state, "pending");
}

Test(reply, tells_problems)
{
	static const struct {
		unsigned status;
		const char *body;
		err_t err;
		const char *words;
	} rows[] = {
		{ 401, "{\"title\": \"Unauthorized\", \"detail\": \"no such key\"}",
			ERR_UNAUTHENTICATED, "401: no such key" },
		{ 403, "{\"title\": \"Forbidden\"}", ERR_PERMISSION_DENIED, "403: Forbidden" },
		{ 404, "", ERR_NOT_FOUND, "HTTP status 404" },
		{ 409, "{\"detail\": 7}", ERR_ALREADY_EXISTS, "HTTP status 409" },
		{ 418, "{}", ERR_INVALID_ARGUMENT, "HTTP status 418" },
		{ 502, "<html>", ERR_UNAVAILABLE, "HTTP status 502" },
		{ 302, "", ERR_UNAVAILABLE, "HTTP status 302" },
		{ 400, "{\"detail\": \"a\\nb\\u001b[31m\"}", ERR_INVALID_ARGUMENT,
			"400: a?b?[31m" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fault fault;

		cr_expect_eq(
			reply_problem(rows[i].status, rows[i].body, strlen(rows[i].body), &fault),
			rows[i].err, "%u", rows[i].status);
		cr_expect_not_null(strstr(fault.detail, rows[i].words), "%s", fault.detail);
	}
}
