/*
 * auth for real when an identity provider hangs: who waits for it, and who does not. With a real
 * provider: tests/e2e/test_identity_providers.py.
 */
#include "tests/component/auth_fixture.h"

#include "proto/provider.pb-c.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define VISITORS 8 /* more than any instance lets wait for one tenant */

/* A port that takes connections and says nothing, or one that takes none. */
static int open_port(bool listening, char issuer[64])
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&at, len), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	if (listening)
		cr_assert_eq(listen(fd, 1024), 0);
	snprintf(issuer, 64, "https://127.0.0.1:%u", ntohs(at.sin_port));
	return fd;
}

static const char *new_provider(const char *tenant, const char *issuer)
{
	Auth__CreateIdentityProviderRequest request = AUTH__CREATE_IDENTITY_PROVIDER_REQUEST__INIT;

	request.name = "Company";
	request.issuer = TEXT(issuer);
	request.client_id = "lanyard";
	request.default_role = "member";
	return ((const Auth__IdentityProvider *)ask_of(&auth__identity_providers__descriptor,
			"service:test", tenant, "CreateIdentityProvider", &request))
		->id;
}

static struct {
	const char *tenant, *provider;
	atomic_bool over;
} crowd;

/* Somebody goes to a provider. */
static err_t go(const char *tenant, const char *provider)
{
	Auth__BeginVisitRequest request = AUTH__BEGIN_VISIT_REQUEST__INIT;
	const ProtobufCMessage *reply;
	struct call call;
	err_t err;

	request.provider = TEXT(provider);
	request.target = "/account";
	request.redirect_uri = "https://vpn.example.org/sign-in/callback";
	call_init(&call, fixture.bus, "service:test", FIXTURE_PATIENCE_MS);
	call.tenant = tenant;
	call.idempotency_key = call.trace;
	err = bus_call(
		&call, &auth__identity_providers__descriptor, "BeginVisit", &request.base, &reply);
	call_finish(&call);
	return err;
}

static void *come_again(void *arg)
{
	while (!crowd.over)
		if (go(crowd.tenant, crowd.provider) == ERR_RESOURCE_EXHAUSTED)
			usleep(20 * 1000);
	return arg;
}

Test(auth, a_provider_that_hangs_delays_nobody_of_another_tenant)
{
	char hangs[64], refuses[64];
	int listening = open_port(true, hangs), closed = open_port(false, refuses);
	const char *other = new_tenant("other")->id, *quick = new_provider(other, refuses);
	pthread_t visitors[VISITORS];

	crowd.tenant = new_tenant("slow")->id;
	crowd.provider = new_provider(crowd.tenant, hangs);
	stop_all();
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		services[i] = start_auth_with("LANYARD_PROVIDER_PRIVATE=1");
	service_await(&fixture, "auth", ARRAY_LEN(services));
	for (size_t i = 0; i < VISITORS; i++)
		cr_assert_eq(pthread_create(&visitors[i], NULL, come_again, NULL), 0);
	AWAIT(go(crowd.tenant, crowd.provider) == ERR_RESOURCE_EXHAUSTED);
	for (int i = 0; i < 10; i++) {
		err_t err = go(other, quick);

		cr_expect_eq(err, ERR_UNAVAILABLE, "%s", err_name(err));
	}
	crowd.over = true;
	for (size_t i = 0; i < VISITORS; i++)
		pthread_join(visitors[i], NULL);
	close(listening);
	close(closed);
}
