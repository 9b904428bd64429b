/* zone: names in and out of the zone, and the records of each kind of name. */
#include "services/dns/zone.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct zone make(const char *name, const char *server, const char *address)
{
	struct zone zone;
	struct fault fault;

	cr_assert_eq(zone_init(&zone, name, server, address, &fault), OK, "%s", fault.detail);
	return zone;
}

Test(zone, settings)
{
	static const struct {
		const char *name, *server, *address, *field;
	} rows[] = {
		{ "", "", "127.0.0.1", "LANYARD_DNS_ZONE" },
		{ ".", "", "127.0.0.1", "LANYARD_DNS_ZONE" },
		{ "a..b", "", "127.0.0.1", "LANYARD_DNS_ZONE" },
		{ ".a", "", "127.0.0.1", "LANYARD_DNS_ZONE" },
		{ "lanyard test", "", "127.0.0.1", "LANYARD_DNS_ZONE" },
		{ LABEL_63 "a", "", "127.0.0.1", "LANYARD_DNS_ZONE" },
		{ LABEL_63, "", "127.0.0.1", "LANYARD_DNS_ZONE" },
		{ "lanyard.test", "ns1.", "127.0.0.1", NULL },
		{ "lanyard.test", "ns1..test", "127.0.0.1", "LANYARD_DNS_SERVER" },
		{ "lanyard.test", "ns1\n", "127.0.0.1", "LANYARD_DNS_SERVER" },
		{ "lanyard.test", "", "", "LANYARD_DNS_ADDRESS" },
		{ "lanyard.test", "", "127.0.0", "LANYARD_DNS_ADDRESS" },
		{ "lanyard.test", "", "ns1.lanyard.test", "LANYARD_DNS_ADDRESS" },
		{ "lanyard.test", "", "::1", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct zone zone;
		struct fault fault = { "", "" };
		err_t err = zone_init(&zone, rows[i].name, rows[i].server, rows[i].address, &fault);

		cr_expect_eq(err, rows[i].field != NULL ? ERR_INVALID_ARGUMENT : OK, "row %zu", i);
		cr_expect_str_eq(
			fault.field, rows[i].field != NULL ? rows[i].field : "", "row %zu", i);
	}
}

Test(zone, normalised)
{
	struct zone zone = make("Lanyard.TEST.", "", "127.0.0.1");

	cr_expect_str_eq(zone.name, "lanyard.test");
	cr_expect_str_eq(zone.server, "ns1.lanyard.test");
	cr_expect(zone.server_inside);
	cr_expect_str_eq(zone.server_relative, "ns1");
	zone = make("lanyard.test", "NS.example.org.", "127.0.0.1");
	cr_expect_str_eq(zone.server, "ns.example.org");
	cr_expect_not(zone.server_inside);
}

Test(zone, relative)
{
	static const struct {
		const char *name, *want; /* NULL: not in the zone */
	} rows[] = {
		{ "lanyard.test", "" },
		{ "LANYARD.test.", "" },
		{ "d.n.t.lanyard.test.", "d.n.t" },
		{ "D.N.t.LanYard.Test", "d.n.t" },
		{ "a.b.c.d.lanyard.test", "a.b.c.d" },
		{ "_acme-challenge.lanyard.test.", "_acme-challenge" },
		{ "", NULL },
		{ ".", NULL },
		{ "test.", NULL },
		{ "xlanyard.test.", NULL },
		{ ".lanyard.test.", NULL },
		{ "a..lanyard.test.", NULL },
		{ "lanyard.test..", NULL },
		{ "*.lanyard.test.", NULL },
		{ "d.n.t.lanyard.test.org.", NULL },
		{ "\\000.lanyard.test.", NULL },
		{ "a'b.lanyard.test.", NULL },
		{ "a%.lanyard.test.", NULL },
		{ LABEL_63 "a.lanyard.test.", NULL },
		{ LABEL_63 ".lanyard.test.", LABEL_63 },
		{ LABEL_63 "." LABEL_63 "." LABEL_63 ".lanyard.test.",
			LABEL_63 "." LABEL_63 "." LABEL_63 },
		{ LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63 ".lanyard.test.", NULL },
	};
	struct zone zone = make("lanyard.test", "", "127.0.0.1");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char relative[ZONE_TEXT_LEN] = "untouched";
		bool inside = zone_relative(&zone, rows[i].name, relative);

		cr_expect_eq(inside, rows[i].want != NULL, "%s", rows[i].name);
		cr_expect_str_eq(relative, rows[i].want != NULL ? rows[i].want : "untouched", "%s",
			rows[i].name);
	}
}

Test(zone, asks)
{
	static const struct {
		const char *relative, *type;
		bool want;
	} rows[] = {
		{ "", "SOA", true },
		{ "", "ANY", true },
		{ "", "NS", false },
		{ "", "A", false },
		{ "d.n.t", "A", true },
		{ "d.n.t", "AAAA", true },
		{ "d.n.t", "ANY", true },
		{ "d.n.t", "SOA", false },
		{ "d.n.t", "MX", false },
		{ "t", "ANY", true },
		{ "x.d.n.t", "ANY", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(zone_asks(rows[i].relative, rows[i].type), rows[i].want, "%s %s",
			rows[i].relative, rows[i].type);
}

#define SOA_OF(server) "SOA " server ". hostmaster.lanyard.test. 42 3600 600 86400 5;"

static const struct zone_entry nothing = { .serial = 42 };
static const struct zone_entry both = { 42, true, "10.0.0.1", "fd00::1", false };
static const struct zone_entry only6 = { 42, true, "", "fd00::1", false };
static const struct zone_entry bare = { 42, true, "", "", false };
static const struct zone_entry above = { 42, false, "", "", true };

static const struct {
	const char *server, *address;
	const char *relative, *type;
	const struct zone_entry *entry;
	const char *want; /* "TYPE content;" each */
} answers[] = {
	{ "", "127.0.0.1", "", "SOA", &nothing, SOA_OF("ns1.lanyard.test") },
	{ "", "127.0.0.1", "", "NS", &nothing, "NS ns1.lanyard.test.;" },
	{ "", "127.0.0.1", "", "A", &nothing, "" },
	{ "", "127.0.0.1", "", "ANY", &nothing,
		SOA_OF("ns1.lanyard.test") "NS ns1.lanyard.test.;" },
	{ "", "127.0.0.1", "ns1", "A", &nothing, "A 127.0.0.1;" },
	{ "", "127.0.0.1", "ns1", "AAAA", &nothing, "" },
	{ "", "127.0.0.1", "ns1", "ANY", &above, "A 127.0.0.1;" }, /* a tenant called ns1 */
	{ "", "::1", "ns1", "ANY", &nothing, "AAAA ::1;" },
	{ "ns.b.lanyard.test", "127.0.0.1", "b", "ANY", &nothing, " ;" },
	{ "ns.b.lanyard.test", "127.0.0.1", "s.b", "ANY", &nothing, "" },
	{ "ns.b.lanyard.test", "127.0.0.1", "b", "A", &nothing, "" },
	{ "lanyard.test", "127.0.0.1", "", "A", &nothing, "A 127.0.0.1;" },
	{ "ns.example.org", "127.0.0.1", "", "ANY", &nothing,
		SOA_OF("ns.example.org") "NS ns.example.org.;" },
	{ "ns.example.org", "127.0.0.1", "ns1", "ANY", &nothing, "" },
	{ "", "127.0.0.1", "d.n.t", "ANY", &both, "A 10.0.0.1;AAAA fd00::1;" },
	{ "", "127.0.0.1", "d.n.t", "A", &both, "A 10.0.0.1;" },
	{ "", "127.0.0.1", "d.n.t", "AAAA", &both, "AAAA fd00::1;" },
	{ "", "127.0.0.1", "d.n.t", "TXT", &both, "" },
	{ "", "127.0.0.1", "d.n.t", "A", &only6, "" },
	{ "", "127.0.0.1", "d.n.t", "ANY", &only6, "AAAA fd00::1;" },
	{ "", "127.0.0.1", "d.n.t", "ANY", &bare, " ;" },
	{ "", "127.0.0.1", "d.n.t", "ANY", &nothing, "" },
	{ "", "127.0.0.1", "n.t", "ANY", &above, " ;" },
	{ "", "127.0.0.1", "n.t", "A", &above, "" },
};

Test(zone, answer)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct zone zone = make("lanyard.test", answers[i].server, answers[i].address);
		struct zone_answer answer;
		char text[4096] = "";

		zone_answer(&zone, answers[i].relative, answers[i].type, answers[i].entry, &answer);
		for (size_t j = 0; j < answer.n; j++) {
			size_t len = strlen(text);

			snprintf(text + len, sizeof(text) - len, "%s %s;", answer.records[j].type,
				answer.records[j].content);
		}
		cr_expect_str_eq(text, answers[i].want, "row %zu: %s", i, text);
	}
}
