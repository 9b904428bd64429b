/*
 * dns for real: the service, a PostgreSQL, events as provision publishes them, and the questions of
 * PowerDNS: first as lines on the socket, then by Debian's pdns_server and dig. The test is auth.
 */
#include "tests/component/service_fixture.h"

#include "lib/event.h"
#include "proto/auth.pb-c.h"
#include "proto/dns.pb-c.h"
#include "proto/event.pb-c.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define TENANT	       "018f0000-0000-7000-8000-0000000000aa" /* called acme */
#define OTHER_TENANT   "018f0000-0000-7000-8000-0000000000bb" /* called umbrella */
#define UNKNOWN_TENANT "018f0000-0000-7000-8000-0000000000cc"
#define NETWORK	       "018f0000-0000-7000-8000-0000000000a1"
#define OTHER_NETWORK  "018f0000-0000-7000-8000-0000000000a2"
#define DEVICE	       "018f0000-0000-7000-8000-0000000000d1"
#define MEMBER_1       "018f0000-0000-7000-8000-000000000001"
#define MEMBER_2       "018f0000-0000-7000-8000-000000000002"
#define MEMBER_3       "018f0000-0000-7000-8000-000000000003"

#define SQL(name, text) static const struct db_statement name = { text }

static struct fixture fixture;
static pid_t service;
static char socket_path[64], socket_setting[96], key_setting[96];
static int line_fd; /* a connection as PowerDNS has it */
static atomic_int tenants_asked, auth_failures;

/* ---- auth ---- */

static err_t get_tenant(struct call *call, const Auth__Ref *request, Auth__Tenant *reply)
{
	(void)request;
	tenants_asked++;
	if (auth_failures > 0) {
		auth_failures--;
		return call_refuse(call, ERR_UNAVAILABLE, NULL, "on purpose");
	}
	reply->id = (char *)(uintptr_t)call->tenant;
	if (strcmp(call->tenant, TENANT) == 0)
		reply->name = "acme";
	else if (strcmp(call->tenant, OTHER_TENANT) == 0)
		reply->name = "umbrella";
	else
		return call_refuse(call, ERR_NOT_FOUND, "id", "no tenant %s here", call->tenant);
	return OK;
}

BUS_HANDLER(Auth__Auth_Service, get_tenant, Auth__Ref, Auth__Tenant, AUTH__TENANT__INIT)

static Auth__Auth_Service auth = { .base = AUTH__AUTH__BASE_INIT, .get_tenant = on_get_tenant };
static ProtobufCService *const auth_services[] = { &auth.base, NULL };

/* ---- life ---- */

SQL(reset, "WITH a AS (DELETE FROM dns.name), b AS (DELETE FROM fabric.event),"
	   " c AS (DELETE FROM fabric.instance WHERE id <> '" FIXTURE_SELF "')"
	   " UPDATE dns.event_cursor SET transaction = '0', id = 0");
SQL(let_in, "ALTER ROLE lanyard_dns LOGIN");

/* A connection to the service's socket, -1 if nobody listens there. */
static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { FIXTURE_PATIENCE_MS / 1000, 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, socket_path);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	if (connect(fd, (void *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void start_service(void)
{
	const char *const more[] = { socket_setting, key_setting, NULL };

	service = service_start(&fixture, "dns", more);
	AWAIT((line_fd = dial()) >= 0);
	service_await(&fixture, "dns", 1);
}

static void kill_service(void)
{
	kill(service, SIGKILL);
	cr_assert_eq(waitpid(service, NULL, 0), service);
	close(line_fd);
}

static void write_key(const char *path)
{
	FILE *file = fopen(path, "we");

	cr_assert_not_null(file);
	fprintf(file, "%064d\n", 9);
	fclose(file);
}

static void setup(void)
{
	fixture_open(&fixture, "auth", auth_services);
	fixture_sql(&fixture, &let_in);
	fixture_sql(&fixture, &reset);
	snprintf(socket_path, sizeof(socket_path), "%s/dns", fixture.folder);
	snprintf(socket_setting, sizeof(socket_setting), "LANYARD_DNS_SOCKET=%s", socket_path);
	/* Any 64 hex digits do: those of the fleet's key, without its id. */
	snprintf(key_setting, sizeof(key_setting), "LANYARD_DNS_KEY_FILE=%s/dns-key",
		fixture.folder);
	write_key(strchr(key_setting, '=') + 1);
	start_service();
}

static void teardown(void)
{
	close(line_fd);
	service_stop(service);
	unlink(strchr(key_setting, '=') + 1);
	fixture_close(&fixture);
}

TestSuite(dns, .init = setup, .fini = teardown, .timeout = 120);

/* ---- events ---- */

struct member {
	const char *tenant, *id, *network, *network_name, *device_name, *ipv4, *ipv6;
	bool removed;
};

static void publish(struct member member)
{
	Event__Member event = EVENT__MEMBER__INIT;
	struct call call;

	event.member = (char *)(uintptr_t)member.id;
	event.network = (char *)(uintptr_t)member.network;
	event.network_name = (char *)(uintptr_t)member.network_name;
	event.device = DEVICE;
	event.device_name = (char *)(uintptr_t)member.device_name;
	event.ipv4 = (char *)(uintptr_t)member.ipv4;
	event.ipv6 = (char *)(uintptr_t)member.ipv6;
	event.removed = member.removed;
	call_init(&call, fixture.bus, "service:provision", FIXTURE_PATIENCE_MS);
	call.tenant = member.tenant;
	cr_assert_eq(db_begin(fixture.db, &call), OK);
	cr_assert_eq(event_publish(&call, "member", &event.base), OK);
	cr_assert_eq(db_commit(fixture.db, &call), OK);
	event_ring(&call);
	call_finish(&call);
}

static const struct member router = { TENANT, MEMBER_1, NETWORK, "office", "router", "10.77.0.1",
	"fd77::1", false };
static const struct member camera = { TENANT, MEMBER_2, NETWORK, "office", "camera", "10.77.0.2",
	"", false };
static const struct member stranger = { OTHER_TENANT, MEMBER_3, OTHER_NETWORK, "office", "router",
	"10.99.0.1", "", false };

/* ---- questions ---- */

/* Asks for all records of a name of the zone; the answer is the line, in a static buffer. */
static const char *ask(const char *relative)
{
	static char line[4096];
	size_t len = 0;

	dprintf(line_fd,
		"{\"method\":\"lookup\",\"parameters\":{\"qname\":\"%slanyard.test.\","
		"\"qtype\":\"ANY\",\"zone-id\":-1}}\n",
		relative);
	do {
		ssize_t n = recv(line_fd, line + len, sizeof(line) - 1 - len, 0);

		cr_assert_gt(n, 0);
		len += (size_t)n;
	} while (line[len - 1] != '\n');
	line[len] = '\0';
	return line;
}

static bool has(const char *relative, const char *content)
{
	return strstr(ask(relative), content) != NULL;
}

static bool is_empty(const char *relative)
{
	return strcmp(ask(relative), "{\"result\":[]}\n") == 0;
}

static unsigned serial(void)
{
	const char *soa = strstr(ask(""), "hostmaster.lanyard.test. ");
	unsigned n = 0;

	cr_assert_not_null(soa);
	cr_assert_eq(sscanf(soa, "%*s %u", &n), 1);
	return n;
}

/* ---- tests ---- */

Test(dns, a_member_has_its_name)
{
	unsigned before = serial();

	cr_expect(is_empty("router.office.acme."));
	publish(router);
	AWAIT(has("router.office.acme.", "\"10.77.0.1\""));
	cr_expect(has("Router.OFFICE.acme.", "\"fd77::1\""));
	cr_expect(has("office.acme.", "\"qtype\":\"\""));
	cr_expect(has("acme.", "\"qtype\":\"\""));
	cr_expect(is_empty("e.acme."));
	cr_expect(is_empty("cme."));
	cr_expect(is_empty("router.acme."));
	cr_expect_gt(serial(), before);
	publish(stranger);
	AWAIT(has("router.office.umbrella.", "\"10.99.0.1\""));
	cr_expect(has("router.office.acme.", "\"10.77.0.1\""));
}

Test(dns, a_name_follows_its_member)
{
	struct member renamed = router, removed = router;

	publish(router);
	AWAIT(has("router.office.acme.", "\"10.77.0.1\""));
	renamed.device_name = "gate";
	renamed.ipv4 = "10.77.0.9";
	publish(renamed);
	AWAIT(has("gate.office.acme.", "\"10.77.0.9\""));
	cr_expect(is_empty("router.office.acme."));
	removed.removed = true;
	publish(removed);
	AWAIT(is_empty("gate.office.acme."));
	cr_expect(is_empty("office.acme."));
}

Test(dns, a_repeated_event_changes_nothing)
{
	unsigned once;

	publish(router);
	AWAIT(has("router.office.acme.", "\"10.77.0.1\""));
	once = serial();
	publish(router);
	publish(camera);
	AWAIT(has("camera.office.acme.", "\"10.77.0.2\""));
	cr_expect_eq(serial(), once + 1);
	cr_expect_eq(tenants_asked, 1, "a tenant's name never changes");
}

Test(dns, the_later_member_takes_the_name)
{
	struct member heir = camera;

	heir.device_name = router.device_name;
	publish(router);
	publish(heir);
	AWAIT(has("router.office.acme.", "\"10.77.0.2\""));
	cr_expect(!has("router.office.acme.", "\"10.77.0.1\""));
}

Test(dns, an_event_that_can_not_be_right_holds_nothing_up)
{
	struct member wrong = router;

	wrong.device_name = "no label";
	publish(wrong);
	wrong = router;
	wrong.tenant = UNKNOWN_TENANT;
	publish(wrong);
	publish(camera);
	AWAIT(has("camera.office.acme.", "\"10.77.0.2\""));
	cr_expect(is_empty("router.office.acme."));
}

Test(dns, an_event_waits_for_auth)
{
	auth_failures = 2;
	publish(router);
	AWAIT(has("router.office.acme.", "\"10.77.0.1\""));
	cr_expect_eq(auth_failures, 0);
}

Test(dns, a_killed_service_catches_up)
{
	kill_service();
	publish(router);
	cr_assert_eq(access(socket_path, F_OK), 0, "left behind, as after any kill -9");
	start_service();
	AWAIT(has("router.office.acme.", "\"10.77.0.1\""));
}

SQL(shut_out, "WITH a AS (SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
	      " WHERE usename = 'lanyard_dns') SELECT count(*) AS n FROM a");
SQL(bar, "ALTER ROLE lanyard_dns NOLOGIN");

Test(dns, answers_from_memory_while_postgresql_is_away)
{
	publish(router);
	AWAIT(has("router.office.acme.", "\"10.77.0.1\""));
	fixture_sql(&fixture, &bar);
	fixture_sql(&fixture, &shut_out);
	cr_expect(has("router.office.acme.", "\"10.77.0.1\""));
	cr_expect(is_empty("nobody.office.acme."));
	fixture_sql(&fixture, &let_in);
	publish(camera);
	AWAIT(has("camera.office.acme.", "\"10.77.0.2\""));
}

/* ---- methods ---- */

struct page {
	err_t err;
	size_t n;
	char first[256]; /* its name */
};

static struct page list_names(const char *tenant, const char *name, const char *network)
{
	Dns__ListRequest request = DNS__LIST_REQUEST__INIT;
	const ProtobufCMessage *reply;
	struct page page = { 0 };
	struct call call;

	request.name = (char *)(uintptr_t)name;
	request.network = (char *)(uintptr_t)network;
	page.err = fixture_call(
		&fixture, &call, tenant, &dns__dns__descriptor, "ListNames", &request.base, &reply);
	if (page.err == OK) {
		const Dns__NameList *list = (const Dns__NameList *)reply;

		page.n = list->n_items;
		if (page.n > 0)
			snprintf(page.first, sizeof(page.first), "%s", list->items[0]->name);
	}
	call_finish(&call);
	return page;
}

/* GetName; `text` becomes "NAME NETWORK DEVICE IPV4 IPV6". */
static err_t get_name(const char *tenant, const char *id, char text[512])
{
	Dns__Ref request = DNS__REF__INIT;
	const ProtobufCMessage *reply;
	struct call call;
	err_t err;

	request.id = (char *)(uintptr_t)id;
	err = fixture_call(
		&fixture, &call, tenant, &dns__dns__descriptor, "GetName", &request.base, &reply);
	if (err == OK) {
		const Dns__Name *name = (const Dns__Name *)reply;

		snprintf(text, 512, "%s %s %s %s %s", name->name, name->network, name->device,
			name->ipv4, name->ipv6);
	}
	call_finish(&call);
	return err;
}

Test(dns, a_tenant_sees_its_names)
{
	char text[512];
	struct page page;

	publish(router);
	publish(camera);
	publish(stranger);
	AWAIT(has("router.office.umbrella.", "\"10.99.0.1\""));
	cr_expect_eq(get_name(TENANT, MEMBER_1, text), OK);
	cr_expect_str_eq(
		text, "router.office.acme.lanyard.test " NETWORK " " DEVICE " 10.77.0.1 fd77::1");
	cr_expect_eq(get_name(OTHER_TENANT, MEMBER_1, text), ERR_NOT_FOUND);
	cr_expect_eq(get_name(TENANT, "1", text), ERR_INVALID_ARGUMENT);
	page = list_names(TENANT, "", "");
	cr_expect_eq(page.err, OK);
	cr_expect_eq(page.n, 2);
	cr_expect_str_eq(page.first, "router.office.acme.lanyard.test");
	cr_expect_eq(list_names(OTHER_TENANT, "", "").n, 1);
	page = list_names(TENANT, "Camera.office.acme.lanyard.test.", "");
	cr_expect_eq(page.n, 1);
	cr_expect_str_eq(page.first, "camera.office.acme.lanyard.test");
	cr_expect_eq(list_names(OTHER_TENANT, "camera.office.acme.lanyard.test", "").n, 0);
	cr_expect_eq(list_names(TENANT, "camera", "").err, ERR_INVALID_ARGUMENT);
	cr_expect_eq(list_names(TENANT, "", NETWORK).n, 2);
	cr_expect_eq(list_names(TENANT, "", OTHER_NETWORK).n, 0);
	cr_expect_eq(list_names(TENANT, "", "office").err, ERR_INVALID_ARGUMENT);
}

/* ---- PowerDNS ---- */

/* Starts pdns_server with the settings of docs/names.md. */
static pid_t start_powerdns(int port)
{
	char path[64];
	FILE *file;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/pdns.conf", fixture.folder);
	file = fopen(path, "we");
	cr_assert_not_null(file);
	fprintf(file,
		"launch=remote\nremote-connection-string=unix:path=%s\nlocal-address=127.0.0.1\n"
		"local-port=%d\nsocket-dir=%s\nzone-cache-refresh-interval=5\ncache-ttl=0\n"
		"query-cache-ttl=0\nnegquery-cache-ttl=0\nsecurity-poll-suffix=\nloglevel=3\n"
		"disable-syslog=yes\n",
		socket_path, port, fixture.folder);
	fclose(file);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(path, sizeof(path), "--config-dir=%s", fixture.folder);
	execlp("pdns_server", "pdns_server", path, "--guardian=no", "--daemon=no", (char *)NULL);
	_exit(127);
}

static void stop_powerdns(pid_t pid)
{
	char path[64];

	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	snprintf(path, sizeof(path), "%s/pdns.conf", fixture.folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/pdns.controlsocket", fixture.folder);
	unlink(path);
}

/* What dig says: "STATUS RECORD RECORD...", a record as "NAME TTL TYPE CONTENT;". */
static const char *dig(int port, const char *question)
{
	static char text[4096];
	char line[1024], status[32], name[256], type[16], content[256];
	unsigned ttl;
	FILE *pipe;

	snprintf(line, sizeof(line),
		"dig @127.0.0.1 -p %d +norecurse +time=5 +noall +comments +answer %s", port,
		question);
	pipe = popen(line, "re");
	cr_assert_not_null(pipe);
	strcpy(text, "no answer");
	while (fgets(line, sizeof(line), pipe) != NULL) {
		size_t len = strlen(text);

		if (sscanf(line, ";; ->>HEADER<<- opcode: QUERY, status: %31[A-Z]", status) == 1)
			snprintf(text, sizeof(text), "%s", status);
		else if (*line != ';' &&
			 sscanf(line, "%255s %u IN %15s %255[^\n]", name, &ttl, type, content) == 4)
			snprintf(text + len, sizeof(text) - len, " %s %u %s %s;", name, ttl, type,
				content);
	}
	pclose(pipe);
	return text;
}

static const struct {
	const char *question, *want;
} digs[] = {
	{ "router.office.acme.lanyard.test A",
		"NOERROR router.office.acme.lanyard.test. 60 A 10.77.0.1;" },
	{ "router.office.acme.lanyard.test AAAA",
		"NOERROR router.office.acme.lanyard.test. 60 AAAA fd77::1;" },
	{ "ROUTER.office.Acme.lanyard.test A",
		"NOERROR ROUTER.office.Acme.lanyard.test. 60 A 10.77.0.1;" },
	{ "+tcp router.office.acme.lanyard.test A",
		"NOERROR router.office.acme.lanyard.test. 60 A 10.77.0.1;" },
	{ "router.office.acme.lanyard.test MX", "NOERROR" },
	{ "office.acme.lanyard.test A", "NOERROR" },
	{ "office.acme.lanyard.test ANY", "NOERROR" },
	{ "acme.lanyard.test A", "NOERROR" },
	{ "nobody.office.acme.lanyard.test A", "NXDOMAIN" },
	{ "a.router.office.acme.lanyard.test A", "NXDOMAIN" },
	{ "office.nobody.lanyard.test A", "NXDOMAIN" },
	{ "lanyard.test NS", "NOERROR lanyard.test. 60 NS ns1.lanyard.test.;" },
	{ "ns1.lanyard.test A", "NOERROR ns1.lanyard.test. 60 A 127.0.0.1;" },
	{ "lanyard.test A", "NOERROR" },
	{ "example.org A", "REFUSED" },
};

Test(dns, powerdns_answers)
{
	int port = free_port();
	pid_t powerdns = start_powerdns(port);

	AWAIT(strncmp(dig(port, "lanyard.test SOA"), "NOERROR lanyard.test. 60 SOA ", 29) == 0);
	publish(router);
	AWAIT(strcmp(dig(port, digs[0].question), digs[0].want) == 0);
	for (size_t i = 0; i < ARRAY_LEN(digs); i++)
		cr_expect_str_eq(dig(port, digs[i].question), digs[i].want, "%s", digs[i].question);
	fixture_sql(&fixture, &bar);
	fixture_sql(&fixture, &shut_out);
	cr_expect_str_eq(dig(port, digs[0].question), digs[0].want, "PostgreSQL is away");
	fixture_sql(&fixture, &let_in);
	AWAIT(strcmp(dig(port, digs[0].question), digs[0].want) == 0);
	kill_service();
	AWAIT(strcmp(dig(port, digs[0].question), "SERVFAIL") == 0);
	start_service();
	AWAIT(strcmp(dig(port, digs[0].question), digs[0].want) == 0);
	stop_powerdns(powerdns);
}
