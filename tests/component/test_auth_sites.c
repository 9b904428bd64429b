/* auth for real: the hosts at which people sign in, and their sign-ins. */
#include "tests/component/oauth_fixture.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

/* ---- sites ---- */

Test(auth, a_host_belongs_to_one_tenant)
{
	const char *a = new_tenant("a")->id, *b = new_tenant("b")->id;
	Auth__CreateSiteRequest request = AUTH__CREATE_SITE_REQUEST__INIT;
	Auth__FindSiteRequest find = AUTH__FIND_SITE_REQUEST__INIT;
	Auth__UpdateTenantRequest suspend = AUTH__UPDATE_TENANT_REQUEST__INIT;

	request.name = find.host = "vpn.example.org";
	oauth(a, "CreateSite", &request);
	oauth_refuses(b, "CreateSite", &request, ERR_ALREADY_EXISTS, "name");
	cr_assert_str_eq(
		((const Auth__SiteTenant *)oauth(CALL_FLEET, "FindSite", &find))->tenant, a);
	request.name = "VPN.example.org:443";
	oauth_refuses(b, "CreateSite", &request, ERR_INVALID_ARGUMENT, "name");
	suspend.set_state_case = AUTH__UPDATE_TENANT_REQUEST__SET_STATE_STATE;
	suspend.state = "suspended";
	ask(a, "UpdateTenant", &suspend);
	oauth_refuses(CALL_FLEET, "FindSite", &find, ERR_NOT_FOUND, "host");
}

/* ---- DNS ---- */

#define HOST	 "vpn.example.org"
#define QUESTION "\10_lanyard\3vpn\7example\3org"

/* A server of one zone: it has one TXT record of _lanyard.vpn.example.org. */
static struct {
	int fd;
	char setting[64];
	char text[64];
	pthread_t thread;
} dns;

/* The answer's place is behind the question. */
static size_t answer(unsigned char *packet, size_t len)
{
	static const unsigned char record[] = { 0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 1, 0 };
	bool known = len >= 12 + sizeof(QUESTION) &&
		     memcmp(packet + 12, QUESTION, sizeof(QUESTION)) == 0 && dns.text[0] != '\0';
	size_t text = strlen(dns.text);

	packet[2] = 0x81;
	packet[3] = known ? 0x80 : 0x83; /* NXDOMAIN */
	packet[7] = known;
	if (!known)
		return len;
	memcpy(packet + len, record, sizeof(record));
	len += sizeof(record);
	packet[len++] = (unsigned char)(text + 1);
	packet[len++] = (unsigned char)text;
	memcpy(packet + len, dns.text, text);
	return len + text;
}

static void *serve(void *arg)
{
	unsigned char packet[1024];
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(dns.fd, packet, 512, 0, (struct sockaddr *)&from, &from_len)) > 0)
		sendto(dns.fd, packet, answer(packet, (size_t)n), 0, (struct sockaddr *)&from,
			from_len);
	return arg;
}

static void start_dns(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	dns.fd = socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(bind(dns.fd, (struct sockaddr *)&at, len), 0);
	cr_assert_eq(getsockname(dns.fd, (struct sockaddr *)&at, &len), 0);
	snprintf(dns.setting, sizeof(dns.setting), "LANYARD_RESOLVER=127.0.0.1:%u",
		ntohs(at.sin_port));
	cr_assert_eq(pthread_create(&dns.thread, NULL, serve, NULL), 0);
	stop_all();
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		services[i] = start_auth_with(dns.setting);
	service_await(&fixture, "auth", ARRAY_LEN(services));
}

static void stop_dns(void)
{
	shutdown(dns.fd, SHUT_RDWR);
	pthread_join(dns.thread, NULL);
	close(dns.fd);
}

Test(auth, a_site_needs_the_word_of_its_hosts_dns_or_of_the_fleets_operators)
{
	const ProtobufCServiceDescriptor *service = &auth__oauth__descriptor;
	const char *tenant = new_tenant("a")->id;
	struct arena *arena = calls.list[0].arena;
	const char *owner = arena_printf(arena, "user:%s", new_user(tenant, "ann", "owner")->id);
	const char *operator_ =
		arena_printf(arena, "user:%s", new_user(FLEET, "olga", "owner")->id);
	Auth__CreateSiteRequest request = AUTH__CREATE_SITE_REQUEST__INIT;

	start_dns();
	request.name = HOST;
	refuse_of(service, owner, tenant, "CreateSite", &request, ERR_FAILED_PRECONDITION, "name");
	snprintf(dns.text, sizeof(dns.text), "tenant=%s", new_tenant("b")->id);
	refuse_of(service, owner, tenant, "CreateSite", &request, ERR_FAILED_PRECONDITION, "name");
	snprintf(dns.text, sizeof(dns.text), "tenant=%s", tenant);
	request.name = "example.org";
	refuse_of(service, owner, tenant, "CreateSite", &request, ERR_FAILED_PRECONDITION, "name");
	request.name = HOST;
	ask_of(service, owner, tenant, "CreateSite", &request);
	request.name = "192.0.2.1";
	refuse_of(service, owner, tenant, "CreateSite", &request, ERR_PERMISSION_DENIED, "name");
	ask_of(service, operator_, tenant, "CreateSite", &request);
	request.name = "gateway.example.org";
	ask_of(service, operator_, tenant, "CreateSite", &request);
	stop_dns();
}

/* ---- sign-ins ---- */

Test(auth, a_sign_in_ends_when_the_person_says_so)
{
	struct world world = new_world("a");
	Auth__SignInRef who = AUTH__SIGN_IN_REF__INIT;
	Auth__SignInRequest request = AUTH__SIGN_IN_REQUEST__INIT;
	const Auth__SignIn *person;

	who.secret = TEXT(world.browser);
	person = oauth(world.tenant, "GetSignIn", &who);
	cr_assert_str_eq(person->user, "ann");
	cr_assert_str_eq(person->address, "192.0.2.1");
	oauth_refuses(new_tenant("b")->id, "GetSignIn", &who, ERR_UNAUTHENTICATED, "");
	oauth(world.tenant, "DeleteSignIn", &who);
	oauth_refuses(world.tenant, "GetSignIn", &who, ERR_UNAUTHENTICATED, "");
	request.user = "ann";
	request.password = "wrong horse battery";
	person = oauth(world.tenant, "CreateSignIn", &request);
	cr_assert_str_eq(person->error, "wrong");
	cr_assert_str_eq(person->secret, "");
	request.user = "nobody";
	person = oauth(world.tenant, "CreateSignIn", &request);
	cr_assert_str_eq(person->error, "wrong");
	cr_assert_str_eq(person->secret, "");
}

Test(auth, sign_ins_are_listed_from_either_end)
{
	struct world world = new_world("a");
	const char *second = sign_in(world.tenant, "ann")->id;
	const char *third = sign_in(world.tenant, "ann")->id;
	Auth__OwnListRequest request = AUTH__OWN_LIST_REQUEST__INIT;
	const Auth__SignInList *page;

	request.user = TEXT(world.user);
	request.limit = 2;
	request.newest = true;
	page = oauth(world.tenant, "ListSignIns", &request);
	cr_assert_eq(page->n_items, 2);
	cr_assert_str_eq(page->items[0]->id, third);
	cr_assert_str_eq(page->items[1]->id, second);
	request.cursor = page->next_cursor;
	page = oauth(world.tenant, "ListSignIns", &request);
	cr_assert_eq(page->n_items, 1);
	cr_assert_str_eq(page->next_cursor, "");
	request.newest = false;
	request.cursor = page->items[0]->id;
	page = oauth(world.tenant, "ListSignIns", &request);
	cr_assert_eq(page->n_items, 2);
	cr_assert_str_eq(page->items[0]->id, second);
	request.cursor = "1";
	oauth_refuses(world.tenant, "ListSignIns", &request, ERR_INVALID_ARGUMENT, "cursor");
}
