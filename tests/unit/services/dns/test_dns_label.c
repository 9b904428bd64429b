/* label: which names may be registered, and which mail addresses and local addresses are believed.
 */
#include "services/dns/label.h"

#include <criterion/criterion.h>

#include <string.h>

#define RESERVED "api www"

static struct call call;

static void setup(void)
{
	call_init(&call, NULL, "service:test", 1000);
}

static void teardown(void)
{
	call_finish(&call);
}

TestSuite(label, .init = setup, .fini = teardown);

Test(label, names_that_may_be_had)
{
	static const char *const rows[][2] = { { "a", "a" }, { " Fabrice\t", "fabrice" },
		{ "020000000001", "020000000001" }, { "a-1", "a-1" }, { "nsa", "nsa" },
		{ "ns1a", "ns1a" }, { "apis", "apis" }, { "xn-a", "xn-a" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char label[LABEL_LEN];

		cr_expect_eq(label_check(&call, rows[i][0], "box.test", RESERVED, label), OK, "%s",
			rows[i][0]);
		cr_expect_str_eq(label, rows[i][1]);
	}
}

Test(label, names_that_nobody_gets)
{
	static const char *const rows[] = { "", " ", "-a", "a-", "a.b", "a_b", "_psl", "a b", "ns",
		"ns1", "NS12", "api", "WWW", "xn--p1ai", "_acme-challenge", "*", "a\nb", "\xc3\xa4",
		"0123456789012345678901234567890123456789012345678901234567890123" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char label[LABEL_LEN];

		cr_expect_eq(label_check(&call, rows[i], "box.test", RESERVED, label),
			ERR_INVALID_ARGUMENT, "\"%s\"", rows[i]);
		cr_expect_str_eq(call.fault.field, "name");
	}
}

/* A zone of `len` bytes. */
static const char *zone_of(size_t len)
{
	static char zone[DOMAIN_LEN];

	memset(zone, 'z', len);
	for (size_t i = 50; i < len; i += 50)
		zone[i] = '.';
	zone[len] = '\0';
	return zone;
}

/* With its last dot a name has at most 253 bytes, and so has the one that its challenges are at. */
Test(label, a_full_name_has_its_limit)
{
	char text[LABEL_LEN], label[LABEL_LEN];

	memset(text, 'a', 63);
	text[63] = '\0';
	for (size_t len = 160; len < 180; len++) {
		bool fits = strlen("_acme-challenge.") + 63 + 1 + len + 1 <= 253;

		cr_expect_eq(label_check(&call, text, zone_of(len), RESERVED, label),
			fits ? OK : ERR_INVALID_ARGUMENT, "%zu", len);
	}
	cr_expect_eq(label_check(&call, "a", zone_of(234), RESERVED, label), OK);
	cr_expect_eq(label_check(&call, "a", zone_of(235), RESERVED, label), ERR_INVALID_ARGUMENT);
}

Test(label, mail_addresses)
{
	static const struct {
		const char *email;
		err_t want;
	} rows[] = { { "a@b.org", OK }, { "a.b+c@d-e.org", OK }, { "O'Neil@b.org", OK },
		{ "", ERR_INVALID_ARGUMENT }, { "a", ERR_INVALID_ARGUMENT },
		{ "a@", ERR_INVALID_ARGUMENT }, { "@b.org", ERR_INVALID_ARGUMENT },
		{ "a@b@c.org", ERR_INVALID_ARGUMENT }, { ".a@b.org", ERR_INVALID_ARGUMENT },
		{ "a..b@c.org", ERR_INVALID_ARGUMENT }, { "a@b.org.", ERR_INVALID_ARGUMENT },
		{ "a@*.org", ERR_INVALID_ARGUMENT }, { "a@[127.0.0.1]", ERR_INVALID_ARGUMENT },
		{ "\"a\"@b.org", ERR_INVALID_ARGUMENT },
		{ "a@b.org,c@d.org", ERR_INVALID_ARGUMENT },
		{ "a@b.org\r\nBcc: c@d.org", ERR_INVALID_ARGUMENT },
		{ "a\r\nBcc: c@d.org", ERR_INVALID_ARGUMENT },
		{ "a@b.org\n", ERR_INVALID_ARGUMENT }, { "<a@b.org>", ERR_INVALID_ARGUMENT },
		{ "a b@c.org", ERR_INVALID_ARGUMENT },
		{ "a@b.org>\r\nDATA", ERR_INVALID_ARGUMENT } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(
			label_check_email(&call, rows[i].email), rows[i].want, "%s", rows[i].email);
}

Test(label, callers_that_proxies_name)
{
	static const char *const rows[][2] = { { "192.0.2.1", "192.0.2.1" },
		{ "2001:DB8::1", "2001:db8::1" }, { "fe80::1%eth0", "fe80::1" },
		{ "127.0.0.1%eth0", "127.0.0.1" }, { "", "" }, { "%", "" }, { "a.b", "" },
		{ "1.2.3.4.5", "" }, { "192.0.2.1 ", "" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_str_eq(label_address(&call, rows[i][0]), rows[i][1], "%s", rows[i][0]);
}
