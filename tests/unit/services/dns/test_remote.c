/* remote: questions as PowerDNS 4.7 sends them, malformed ones, and a directory that isn't read
 * yet. */
#include "services/dns/remote.h"

#include "tests/unit/services/dns/sample_directory.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct remote remote;
static struct arena *arena;

static void setup(void)
{
	remote.directory = sample_directory();
	arena = arena_create();
}

static void teardown(void)
{
	arena_destroy(arena);
	directory_destroy(remote.directory);
}

TestSuite(remote, .init = setup, .fini = teardown);

static const char *answer(const char *question)
{
	return remote_answer(&remote, question, strlen(question), arena);
}

/* Asks for records; what comes back is "NAME TYPE CONTENT;..." in the order of the answer. */
static const char *lookup(const char *type, const char *name)
{
	static char text[4096];
	const char *at = answer(arena_printf(arena,
		"{\"method\": \"lookup\", \"parameters\": {\"local\": \"127.0.0.1\", \"qname\": "
		"\"%s\","
		" \"qtype\": \"%s\", \"real-remote\": \"127.0.0.1/32\", \"remote\": "
		"\"fe80::1%%eth0\","
		" \"zone-id\": -1}}",
		name, type));
	char kind[16], content[256];
	size_t len = 0;

	text[0] = '\0';
	while ((at = strstr(at, "\"qtype\":\"")) != NULL) {
		kind[0] = content[0] = '\0';
		sscanf(at, "\"qtype\":\"%15[^\"]", kind);
		at = strstr(at, "\"content\":\"") + strlen("\"content\":\"");
		for (size_t i = 0; *at != '"' && i + 2 < sizeof(content); i++, at++) {
			at += *at == '\\' ? 1 : 0;
			content[i] = *at;
			content[i + 1] = '\0';
		}
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %s",
			len > 0 ? "; " : "", kind, content);
	}
	return text;
}

#define SOA_1  "SOA ns1.lanyard.test. hostmaster.lanyard.test. 7 3600 600 86400 5"
#define CAA    "CAA 0 issue \"ca.test\""
#define TUNNEL "A 192.0.2.1; AAAA 2001:db8::1"

static const struct {
	const char *type, *name, *want;
} lookups[] = {
	{ "ANY", "d.n.t.lanyard.test.", "A 10.77.0.1; AAAA fd77::1" },
	{ "ANY", "D.n.T.LANYARD.test", "A 10.77.0.1; AAAA fd77::1" },
	{ "A", "d.n.t.lanyard.test.", "A 10.77.0.1" },
	{ "MX", "d.n.t.lanyard.test.", "" },
	{ "SOA", "d.n.t.lanyard.test.", "" },
	{ "SOA", "lanyard.test.", SOA_1 },
	{ "ANY", "lanyard.test.", SOA_1 "; NS ns1.lanyard.test.; " CAA },
	{ "ANY", "ns1.lanyard.test.", "A 127.0.0.1" },
	{ "ANY", "n.t.lanyard.test.", " " },
	{ "ANY", "t.lanyard.test.", " " },
	{ "A", "t.lanyard.test.", "" },
	{ "ANY", "x.n.t.lanyard.test.", "" },
	{ "ANY", "*.n.t.lanyard.test.", "" },
	{ "SOA", "example.org.", "" },
	{ "SOA", ".", "" },
	{ "SOA", "", "" },
	{ "ANY", "fabrice.box.lanyard.test.",
		TUNNEL "; HTTPS 1 .; CAA 0 issue \"ca.test; accounturi=https://ca.test/acct/1\"" },
	{ "ANY", "local.fabrice.box.lanyard.test.", "A 192.168.1.5; AAAA fd00::5" },
	{ "ANY", "_acme-challenge.fabrice.box.lanyard.test.", "TXT \"first\"; TXT \"second\"" },
	{ "TXT", "_acme-challenge.silent.box.lanyard.test.", "TXT \"first\"" },
	{ "ANY", "silent.box.lanyard.test.", " " },
	{ "A", "silent.box.lanyard.test.", "" },
	{ "HTTPS", "silent.box.lanyard.test.", "" },
	{ "ANY", "moving.box.lanyard.test.", "A 203.0.113.9; " CAA },
	{ "ANY", "api.box.lanyard.test.", TUNNEL },
	{ "ANY", "api.lanyard.test.", "" },
	{ "ANY", "nobody.box.lanyard.test.", "" },
};

Test(remote, lookups)
{
	for (size_t i = 0; i < ARRAY_LEN(lookups); i++)
		cr_expect_str_eq(lookup(lookups[i].type, lookups[i].name), lookups[i].want, "%s %s",
			lookups[i].type, lookups[i].name);
}

#define NO_METHOD   "{\"result\":false,\"log\":[\"there is no such method\"]}"
#define NO_QUESTION "{\"result\":false,\"log\":[\"this is no question\"]}"
#define INFO                                                                                       \
	"{\"id\":2,\"zone\":\"box.lanyard.test.\",\"kind\":\"master\",\"masters\":[],"             \
	"\"serial\":8,\"notified_serial\":8,\"last_check\":0}"

static const struct {
	const char *question, *want;
} questions[] = {
	{ "{\"method\":\"initialize\",\"parameters\":{\"x\":\"y\"}}", "{\"result\":true}" },
	{ "{\"method\":\"INITIALIZE\"}", "{\"result\":true}" },
	{ "{\"method\":\"getDomainInfo\",\"parameters\":{\"name\":\"Box.lanyard.test.\"}}",
		"{\"result\":" INFO "}" },
	{ "{\"method\":\"getDomainInfo\",\"parameters\":{\"name\":\"example.org.\"}}",
		"{\"result\":false}" },
	{ "{\"method\":\"getUpdatedMasters\"}", "{\"result\":[]}" },
	{ "{\"method\":\"getAllDomainMetadata\",\"parameters\":{\"name\":\"box.lanyard.test.\"}}",
		"{\"result\":{\"NSEC3PARAM\":[\"1 0 0 -\"],\"NSEC3NARROW\":[\"1\"]}}" },
	{ "{\"method\":\"getDomainKeys\",\"parameters\":{\"name\":\"box.lanyard.test.\"}}",
		"{\"result\":false}" },
	{ "{\"method\":\"list\",\"parameters\":{\"zonename\":\"example.org.\",\"domain_id\":9}}",
		"{\"result\":false}" },
	{ "{\"method\":\"addDomainKey\",\"parameters\":{\"name\":\"box.lanyard.test.\",\"key\":"
	  "{\"flags\":257,\"active\":true,\"content\":\"x\"}}}",
		"{\"result\":false}" }, /* nothing to change */
	{ "{\"method\":\"feedRecord\",\"parameters\":{\"rr\":{\"qtype\":\"A\",\"qname\":\"x.\"}}}",
		"{\"result\":false}" },
	{ "{\"method\":\"replaceRRSet\",\"parameters\":{\"qtype\":\"SOA\"}}", "{\"result\":true}" },
	{ "{\"method\":\"isMaster\"}", NO_METHOD },
	{ "{\"method\":7}", NO_QUESTION },
	{ "[]", NO_QUESTION },
	{ "", NO_QUESTION },
	{ "{\"method\":\"lookup\"", NO_QUESTION },
	{ "{\"method\":\"lookup\",\"parameters\":{\"qname\":7,\"qtype\":[]}}", "{\"result\":[]}" },
};

Test(remote, questions)
{
	for (size_t i = 0; i < ARRAY_LEN(questions); i++)
		cr_expect_str_eq(answer(questions[i].question), questions[i].want, "%s",
			questions[i].question);
}

Test(remote, transfer_has_every_record)
{
	const char *all = answer("{\"method\":\"list\",\"parameters\":{\"zonename\":"
				 "\"box.lanyard.test.\",\"domain_id\":2}}");

	cr_expect_not_null(strstr(all, "\"SOA\""));
	cr_expect_not_null(strstr(all, "\"local.fabrice.box.lanyard.test.\""));
	cr_expect_not_null(strstr(all, "\"_acme-challenge.silent.box.lanyard.test.\""));
	cr_expect_not_null(strstr(all, "\"api.box.lanyard.test.\""));
	cr_expect_null(strstr(all, "d.n.t"));
}

Test(remote, neighbours)
{
	cr_expect_str_eq(answer("{\"method\":\"getBeforeAndAfterNamesAbsolute\",\"parameters\":"
				"{\"id\":2,\"qname\":\"g.\"}}"),
		"{\"result\":{\"unhashed\":\"g\",\"before\":\"local.fabrice\",\"after\":\"moving\"}"
		"}");
	cr_expect_str_eq(answer("{\"method\":\"getBeforeAndAfterNamesAbsolute\",\"parameters\":"
				"{\"id\":2,\"qname\":\"zz.\"}}"),
		"{\"result\":{\"unhashed\":\"zz\",\"before\":\"_acme-challenge.silent\",\"after\":"
		"\"\"}}");
}

Test(remote, names_move_and_go)
{
	directory_begin(remote.directory);
	sample_holding(remote.directory, (struct holding){ .id = "m1",
						 .zone = 1,
						 .name = "e.n.t.lanyard.test",
						 .kind = HOLDING_MEMBER,
						 .live = true,
						 .addresses = { "10.77.0.2" } });
	directory_remove(remote.directory, "r1");
	directory_remove(remote.directory, "nobody");
	directory_end(remote.directory);
	cr_expect_str_eq(lookup("ANY", "d.n.t.lanyard.test."), "");
	cr_expect_str_eq(lookup("ANY", "e.n.t.lanyard.test."), "A 10.77.0.2");
	cr_expect_str_eq(lookup("ANY", "fabrice.box.lanyard.test."), "");
	cr_expect_str_eq(lookup("ANY", "local.fabrice.box.lanyard.test."), "");
	directory_begin(remote.directory);
	directory_remove(remote.directory, "m1");
	directory_end(remote.directory);
	cr_expect_str_eq(lookup("ANY", "n.t.lanyard.test."), "");
}

Test(remote, no_answer_before_the_first_read)
{
	struct directory *directory = directory_create(&sample_settings);
	struct remote early = { .directory = directory };
	static const char question[] = "{\"method\":\"lookup\",\"parameters\":{\"qname\":\"a.b\","
				       "\"qtype\":\"ANY\"}}";

	cr_expect_null(
		strstr(remote_answer(&early, question, strlen(question), arena), "\"result\""));
	directory_destroy(directory);
}
