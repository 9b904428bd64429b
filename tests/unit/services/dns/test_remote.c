/* remote: questions as PowerDNS 4.7 sends them, malformed ones, and a source that fails. */
#include "services/dns/remote.h"

#include <criterion/criterion.h>
#include <string.h>

static struct zone zone;
static struct arena *arena;
static err_t find_err;
static int n_found;

static err_t find(void *context, const char *relative, struct zone_entry *entry)
{
	cr_expect_eq(context, &zone);
	n_found++;
	entry->serial = 7;
	if (strcmp(relative, "d.n.t") == 0) {
		entry->is_name = true;
		strcpy(entry->ipv4, "10.77.0.1");
		strcpy(entry->ipv6, "fd77::1");
	}
	entry->is_above = strcmp(relative, "n.t") == 0 || strcmp(relative, "t") == 0;
	return find_err;
}

static const struct remote_source source = { find, &zone };

static void setup(void)
{
	struct fault fault;

	cr_assert_eq(zone_init(&zone, "lanyard.test", "", "127.0.0.1", &fault), OK);
	arena = arena_create();
}

static void teardown(void)
{
	arena_destroy(arena);
}

TestSuite(remote, .init = setup, .fini = teardown);

#define LOOKUP(type, name)                                                                         \
	"{\"method\": \"lookup\", \"parameters\": {\"local\": \"127.0.0.1\", \"qname\": \"" name   \
	"\", \"qtype\": \"" type "\", \"real-remote\": \"127.0.0.1/32\","                          \
	" \"remote\": \"127.0.0.1\", \"zone-id\": -1}}"
#define RECORD(name, type, content)                                                                \
	"{\"qname\":\"" name "\",\"qtype\":\"" type "\",\"content\":\"" content "\","              \
	"\"ttl\":60,\"domain_id\":1}"
#define RESULT(records) "{\"result\":[" records "]}"
#define REFUSED		"{\"result\":false}"
#define INFO		"{\"id\":1,\"zone\":\"lanyard.test.\",\"kind\":\"native\"}"
#define SOA		"ns1.lanyard.test. hostmaster.lanyard.test. 7 3600 600 86400 5"
#define A_RECORD	RECORD("d.n.t.lanyard.test.", "A", "10.77.0.1")
#define AAAA_RECORD	RECORD("d.n.t.lanyard.test.", "AAAA", "fd77::1")

static const struct {
	const char *question, *want;
} rows[] = {
	{ "{\"method\":\"initialize\",\"parameters\":{\"path\":\"/run/s\"}}", "{\"result\":true}" },
	{ LOOKUP("ANY", "d.n.t.lanyard.test."), RESULT(A_RECORD "," AAAA_RECORD) },
	{ LOOKUP("ANY", "D.n.T.LANYARD.test."), RESULT(A_RECORD "," AAAA_RECORD) },
	{ LOOKUP("A", "d.n.t.lanyard.test."), RESULT(A_RECORD) },
	{ LOOKUP("AAAA", "d.n.t.lanyard.test."), RESULT(AAAA_RECORD) },
	{ LOOKUP("MX", "d.n.t.lanyard.test."), RESULT("") },
	{ LOOKUP("SOA", "d.n.t.lanyard.test."), RESULT("") },
	{ LOOKUP("SOA", "lanyard.test."), RESULT(RECORD("lanyard.test.", "SOA", SOA)) },
	{ LOOKUP("ANY", "lanyard.test."), RESULT(RECORD("lanyard.test.", "SOA", SOA) "," RECORD(
						  "lanyard.test.", "NS", "ns1.lanyard.test.")) },
	{ LOOKUP("ANY", "ns1.lanyard.test."),
		RESULT(RECORD("ns1.lanyard.test.", "A", "127.0.0.1")) },
	{ LOOKUP("ANY", "n.t.lanyard.test."), RESULT(RECORD("n.t.lanyard.test.", "", "")) },
	{ LOOKUP("ANY", "t.lanyard.test."), RESULT(RECORD("t.lanyard.test.", "", "")) },
	{ LOOKUP("SOA", "n.t.lanyard.test."), RESULT("") },
	{ LOOKUP("ANY", "x.n.t.lanyard.test."), RESULT("") },
	{ LOOKUP("ANY", "*.n.t.lanyard.test."), RESULT("") },
	{ LOOKUP("SOA", "example.org."), RESULT("") },
	{ LOOKUP("SOA", "."), RESULT("") },
	{ LOOKUP("SOA", ""), RESULT("") },
	{ "{\"method\":\"getAllDomains\",\"parameters\":{\"include_disabled\":true}}",
		RESULT(INFO) },
	{ "{\"method\":\"getDomainInfo\",\"parameters\":{\"name\":\"Lanyard.Test.\"}}",
		"{\"result\":" INFO "}" },
	{ "{\"method\":\"getDomainInfo\",\"parameters\":{\"name\":\"t.lanyard.test.\"}}", REFUSED },
	{ "{\"method\":\"getDomainInfo\",\"parameters\":{\"name\":\"example.org.\"}}", REFUSED },
	{ "{\"method\":\"getAllDomainMetadata\",\"parameters\":{\"name\":\"lanyard.test.\"}}",
		REFUSED },
	{ "{\"method\":\"list\",\"parameters\":{\"zonename\":\"lanyard.test.\",\"domain_id\":1}}",
		REFUSED },
	/* malformed */
	{ "", REFUSED },
	{ "{", REFUSED },
	{ "[]", REFUSED },
	{ "null", REFUSED },
	{ "\"lookup\"", REFUSED },
	{ "{}", REFUSED },
	{ "{\"method\":7}", REFUSED },
	{ "{\"method\":\"lookup\"}", RESULT("") },
	{ "{\"method\":\"lookup\",\"parameters\":[]}", RESULT("") },
	{ "{\"method\":\"lookup\",\"parameters\":{\"qname\":null,\"qtype\":{}}}", RESULT("") },
	{ "{\"method\":\"lookup\",\"parameters\":{\"qname\":\"lanyard.test.\"}}", RESULT("") },
	{ "{\"method\":\"getDomainInfo\"}", REFUSED },
	{ "{\"method\":\"initialize\"} trailing", REFUSED },
	{ "{\"method\":\"initialize\xff\"}", REFUSED },
};

Test(remote, answers)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_str_eq(remote_answer(&zone, &source, rows[i].question,
					 strlen(rows[i].question), arena),
			rows[i].want, "row %zu: %s", i, rows[i].question);
}

Test(remote, deep_nesting_is_refused)
{
	char deep[8192];

	memset(deep, '[', sizeof(deep));
	cr_expect_str_eq(remote_answer(&zone, &source, deep, sizeof(deep), arena), REFUSED);
}

/* Only an answer without "result" makes PowerDNS say SERVFAIL. */
Test(remote, no_result_while_the_source_fails)
{
	static const char *const failing[] = { LOOKUP("ANY", "d.n.t.lanyard.test."),
		LOOKUP("A", "x.n.t.lanyard.test."), LOOKUP("SOA", "lanyard.test.") };

	find_err = ERR_UNAVAILABLE;
	for (size_t i = 0; i < sizeof(failing) / sizeof(failing[0]); i++)
		cr_expect_null(
			strstr(remote_answer(&zone, &source, failing[i], strlen(failing[i]), arena),
				"result"),
			"%s", failing[i]);
}

Test(remote, asks_the_source_only_for_what_it_has)
{
	static const char *const own[] = { LOOKUP("SOA", "d.n.t.lanyard.test."),
		LOOKUP("ANY", "a.b.c.d.lanyard.test."), LOOKUP("ANY", "*.t.lanyard.test."),
		LOOKUP("NS", "lanyard.test."), LOOKUP("ANY", "example.org.") };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		remote_answer(&zone, &source, own[i], strlen(own[i]), arena);
	cr_expect_eq(n_found, 0);
}
