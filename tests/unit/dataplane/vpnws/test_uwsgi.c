/*
 * uwsgi: packets as nginx sends them, and what no proxy would send.
 */
#include "dataplane/vpnws/uwsgi.h"
#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

struct maker {
	uint8_t bytes[UWSGI_PACKET_MAX];
	size_t len;
};

static struct maker maker;

static void put(const char *text, size_t len)
{
	maker.bytes[maker.len++] = (uint8_t)len;
	maker.bytes[maker.len++] = (uint8_t)(len >> 8);
	memcpy(maker.bytes + maker.len, text, len);
	maker.len += len;
}

static void finish(void)
{
	maker.bytes[1] = (uint8_t)(maker.len - 4);
	maker.bytes[2] = (uint8_t)((maker.len - 4) >> 8);
}

static void begin(uint8_t modifier1)
{
	maker.len = 4;
	maker.bytes[0] = modifier1;
	maker.bytes[3] = 77; /* modifier2 means nothing */
	finish();
}

static void add(const char *name, const char *value)
{
	put(name, strlen(name));
	put(value, strlen(value));
	finish();
}

static err_t parse(struct uwsgi_request *request, const char **field)
{
	return uwsgi_parse(maker.bytes, maker.len, request, field);
}

Test(uwsgi, knows_the_length_from_the_header)
{
	const uint8_t bytes[] = { 0, 0x34, 0x12, 0, 9 };

	for (size_t len = 0; len < 4; len++)
		cr_assert_eq(uwsgi_packet_len(bytes, len), 0);
	cr_assert_eq(uwsgi_packet_len(bytes, 4), 4 + 0x1234);
	cr_assert_eq(uwsgi_packet_len(bytes, 5), 4 + 0x1234);
}

Test(uwsgi, takes_the_variables_that_matter)
{
	struct uwsgi_request request;
	const char *field;

	begin(0);
	add("REQUEST_METHOD", "GET");
	add("QUERY_STRING", "kill=3&x");
	add("REMOTE_ADDR", "10.91.2.2");
	add("REMOTE_USER", "foo");
	add("HTTPS_DN", "CN=client01,O=Acme");
	add("HTTP_SEC_WEBSOCKET_KEY", "MDEyMzQ1Njc4OQ==");
	add("HTTP_SEC_WEBSOCKET_PROTOCOL", "lanyard.l2.v1");
	add("HTTP_X_VPN_WS_MAC", "ee:25:fa:ab:25:e6");
	add("HTTP_X_VPN_WS_BRIDGE", "on");
	cr_assert_eq(parse(&request, &field), OK);
	cr_assert_eq(request.modifier1, 0);
	cr_assert_str_eq(request.query, "kill=3&x");
	cr_assert_str_eq(request.address, "10.91.2.2");
	cr_assert_str_eq(request.user, "foo");
	cr_assert_str_eq(request.dn, "CN=client01,O=Acme");
	cr_assert_str_eq(request.key, "MDEyMzQ1Njc4OQ==");
	cr_assert_str_eq(request.protocols, "lanyard.l2.v1");
	cr_assert_str_eq(request.mac, "ee:25:fa:ab:25:e6");
	cr_assert_str_eq(request.bridge, "on");
}

Test(uwsgi, an_empty_packet_asks_for_nothing)
{
	struct uwsgi_request request;
	const char *field;

	begin(UWSGI_CONTROL);
	cr_assert_eq(parse(&request, &field), OK);
	cr_assert_eq(request.modifier1, UWSGI_CONTROL);
	cr_assert_str_eq(request.user, "");
}

/* vpn-ws drops the connection at the 65th. */
Test(uwsgi, has_no_limit_to_the_number_of_variables)
{
	struct uwsgi_request request;
	const char *field;

	begin(0);
	for (int i = 0; i < 1000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "HTTP_X_NUMBER_%d", i);
		add(name, "value");
	}
	add("REMOTE_USER", "foo");
	cr_assert_eq(parse(&request, &field), OK);
	cr_assert_str_eq(request.user, "foo");
}

Test(uwsgi, the_last_of_a_name_counts_and_https_dn_before_dn)
{
	struct uwsgi_request request;
	const char *field;

	begin(0);
	add("REMOTE_USER", "long name");
	add("REMOTE_USER", "foo");
	add("REMOTE_USERS", "bar");
	add("DN", "CN=plain");
	cr_assert_eq(parse(&request, &field), OK);
	cr_assert_str_eq(request.user, "foo");
	cr_assert_str_eq(request.dn, "CN=plain");
	add("HTTPS_DN", "CN=tls");
	cr_assert_eq(parse(&request, &field), OK);
	cr_assert_str_eq(request.dn, "CN=tls");
	add("DN", "CN=late");
	cr_assert_eq(parse(&request, &field), OK);
	cr_assert_str_eq(request.dn, "CN=tls");
}

Test(uwsgi, refuses_what_is_too_long_by_its_name)
{
	struct uwsgi_request request;
	const char *field;
	char text[1100];

	memset(text, 'a', sizeof(text));
	text[sizeof(request.user) - 1] = '\0';
	begin(0);
	add("REMOTE_USER", text);
	cr_assert_eq(parse(&request, &field), OK);
	cr_assert_str_eq(request.user, text);
	text[sizeof(request.user) - 1] = 'a';
	text[sizeof(request.user)] = '\0';
	begin(0);
	add("REMOTE_USER", text);
	cr_assert_eq(parse(&request, &field), ERR_OUT_OF_RANGE);
	cr_assert_str_eq(field, "REMOTE_USER");
	begin(0);
	put("HTTPS_DN", 8);
	put("CN=a\0b", 6);
	finish();
	cr_assert_eq(parse(&request, &field), ERR_INVALID_ARGUMENT);
	cr_assert_str_eq(field, "HTTPS_DN");
}

Test(uwsgi, refuses_lengths_that_do_not_fit)
{
	const struct {
		uint8_t bytes[16];
		size_t len;
	} rows[] = {
		{ { 0, 1, 0, 0, 1 }, 5 },			  /* half a length */
		{ { 0, 2, 0, 0, 0, 0 }, 6 },			  /* no name */
		{ { 0, 4, 0, 0, 0, 0, 0, 0 }, 8 },		  /* an empty name */
		{ { 0, 2, 0, 0, 1, 0 }, 6 },			  /* a name beyond the end */
		{ { 0, 3, 0, 0, 1, 0, 'a' }, 7 },		  /* no value */
		{ { 0, 4, 0, 0, 1, 0, 'a', 0 }, 8 },		  /* half a length of it */
		{ { 0, 5, 0, 0, 1, 0, 'a', 1, 0 }, 9 },		  /* a value beyond the end */
		{ { 0, 6, 0, 0, 1, 0, 'a', 0xff, 0xff, 0 }, 10 }, /* far beyond */
	};
	struct uwsgi_request request;
	const char *field;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert_eq(uwsgi_parse(rows[i].bytes, rows[i].len, &request, &field),
			ERR_INVALID_ARGUMENT, "row %zu", i);
		cr_assert_str_eq(field, "");
	}
}
