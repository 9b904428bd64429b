/*
 * auth_fixture: two processes of auth, a PostgreSQL, and calls over the bus. Every test begins with
 * empty tables, so with a bootstrap.
 */
#pragma once

#include "tests/component/service_fixture.h"

#include "lib/token.h"
#include "proto/auth.pb-c.h"

#define FLEET	  "00000000-0000-7000-8000-000000000000"
#define NOBODY	  "018f0000-0000-7000-8000-0000000000ff"
#define DEVICE	  "018f0000-0000-7000-8000-0000000000d1"
#define PASSWORD  "correct horse battery"
#define CALLS_MAX 256

#define TEXT(text)	((char *)(uintptr_t)(text))
#define SQL(name, text) static const struct db_statement name = { text }

SQL(reset, "WITH a AS (DELETE FROM auth.\"user\"), b AS (DELETE FROM auth.api_key),"
	   " c AS (DELETE FROM auth.enrolment_key), d AS (DELETE FROM auth.device_secret),"
	   " e AS (DELETE FROM auth.signing_key), f AS (DELETE FROM fabric.event),"
	   " g AS (DELETE FROM auth.site), h AS (DELETE FROM auth.oauth_client),"
	   " i AS (DELETE FROM auth.oauth_device_code), j AS (DELETE FROM auth.sign_in_policy),"
	   " k AS (DELETE FROM auth.\"group\"), l AS (DELETE FROM auth.invitation),"
	   " m AS (DELETE FROM auth.password_failure)"
	   " DELETE FROM fabric.instance WHERE id <> '" FIXTURE_SELF "'");
SQL(reset_tenants, "DELETE FROM auth.tenant");

static struct fixture fixture;
static struct {
	char key[80], bootstrap[80]; /* files */
	char key_setting[128], bootstrap_setting[128];
} files;
static pid_t services[2];
/* Calls of the test, with their replies, until it is over. */
static struct {
	struct call list[CALLS_MAX];
	size_t n;
} calls;

/* ---- the processes ---- */

static inline void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	cr_assert(file);
	fputs(text, file);
	fclose(file);
}

/* `more`: one more setting, or NULL. */
static inline pid_t start_auth_with(const char *more)
{
	const char *const settings[] = { files.key_setting, files.bootstrap_setting, more, NULL };

	return service_start(&fixture, "auth", settings);
}

static inline pid_t start_auth(void)
{
	return start_auth_with(NULL);
}

static inline void start_all(void)
{
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		services[i] = start_auth();
	service_await(&fixture, "auth", ARRAY_LEN(services));
}

static inline void stop_all(void)
{
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		service_stop(services[i]);
	service_await(&fixture, "auth", 0);
}

static inline void open_without_services(void)
{
	fixture_open(&fixture, "test", NULL);
	fixture_sql(&fixture, &reset);
	fixture_sql(&fixture, &reset_tenants);
	snprintf(files.key, sizeof(files.key), "%s/auth", fixture.folder);
	snprintf(files.bootstrap, sizeof(files.bootstrap), "%s/operator", fixture.folder);
	snprintf(files.key_setting, sizeof(files.key_setting), "LANYARD_AUTH_KEY_FILE=%s",
		files.key);
	snprintf(files.bootstrap_setting, sizeof(files.bootstrap_setting),
		"LANYARD_BOOTSTRAP_FILE=%s", files.bootstrap);
	write_text(files.key, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
}

static inline void close_without_services(void)
{
	for (size_t i = 0; i < calls.n; i++)
		call_finish(&calls.list[i]);
	unlink(files.bootstrap);
	unlink(files.key);
	fixture_close(&fixture);
}

static inline void setup(void)
{
	open_without_services();
	start_all();
}

static inline void teardown(void)
{
	stop_all();
	close_without_services();
}

TestSuite(auth, .init = setup, .fini = teardown, .timeout = 120);

/* ---- calls ---- */

/* One call of a service; all that it brought is in the struct, which lives until the end of the
 * test.
 */
static inline struct call *ask_service(const ProtobufCServiceDescriptor *service, const char *key,
	const char *actor, const char *tenant, const char *method, const void *request,
	const void **reply, err_t *err)
{
	struct call *call = &calls.list[calls.n++];
	const ProtobufCMessage *message = NULL;

	cr_assert_lt(calls.n, CALLS_MAX);
	call_init(call, fixture.bus, actor, FIXTURE_PATIENCE_MS);
	call->tenant = tenant;
	call->idempotency_key = key;
	*err = bus_call(call, service, method, request, &message);
	*reply = message;
	return call;
}

static inline struct call *ask_with_key(const char *key, const char *actor, const char *tenant,
	const char *method, const void *request, const void **reply, err_t *err)
{
	return ask_service(
		&auth__auth__descriptor, key, actor, tenant, method, request, reply, err);
}

/* The reply of a call that must succeed. */
static inline const void *ask_of(const ProtobufCServiceDescriptor *service, const char *actor,
	const char *tenant, const char *method, const void *request)
{
	const void *reply;
	err_t err;
	struct call *call = ask_service(service, "", actor, tenant, method, request, &reply, &err);

	cr_assert_eq(err, OK, "%s: %s %s: %s", method, err_name(err), call->fault.field,
		call->fault.detail);
	return reply;
}

static inline const void *ask_as(
	const char *actor, const char *tenant, const char *method, const void *request)
{
	return ask_of(&auth__auth__descriptor, actor, tenant, method, request);
}

static inline const void *ask(const char *tenant, const char *method, const void *request)
{
	return ask_as("service:test", tenant, method, request);
}

static inline void refuse_of(const ProtobufCServiceDescriptor *service, const char *actor,
	const char *tenant, const char *method, const void *request, err_t want, const char *field)
{
	const void *reply;
	err_t err;
	struct call *call = ask_service(service, "", actor, tenant, method, request, &reply, &err);

	cr_assert_eq(err, want, "%s: %s %s: %s", method, err_name(err), call->fault.field,
		call->fault.detail);
	cr_assert_str_eq(call->fault.field, field, "%s", call->fault.detail);
}

static inline void refuse_as(const char *actor, const char *tenant, const char *method,
	const void *request, err_t want, const char *field)
{
	refuse_of(&auth__auth__descriptor, actor, tenant, method, request, want, field);
}

static inline void refuse(
	const char *tenant, const char *method, const void *request, err_t want, const char *field)
{
	refuse_as("service:test", tenant, method, request, want, field);
}

static inline const Auth__Tenant *new_tenant(const char *name)
{
	Auth__CreateTenantRequest request = AUTH__CREATE_TENANT_REQUEST__INIT;

	request.name = TEXT(name);
	return ask(CALL_FLEET, "CreateTenant", &request);
}

static inline Auth__CreateUserRequest user_request(const char *name, const char *role)
{
	Auth__CreateUserRequest request = AUTH__CREATE_USER_REQUEST__INIT;

	request.name = TEXT(name);
	request.role = TEXT(role);
	request.password = PASSWORD;
	return request;
}

static inline const Auth__User *new_user(const char *tenant, const char *name, const char *role)
{
	Auth__CreateUserRequest request = user_request(name, role);

	return ask(tenant, "CreateUser", &request);
}

static inline Auth__CreateApiKeyRequest api_key_request(const char *name, const char *role)
{
	Auth__CreateApiKeyRequest request = AUTH__CREATE_API_KEY_REQUEST__INIT;

	request.name = TEXT(name);
	request.role = TEXT(role);
	return request;
}

static inline const Auth__ApiKey *new_api_key(
	const char *tenant, const char *name, const char *role)
{
	Auth__CreateApiKeyRequest request = api_key_request(name, role);

	return ask(tenant, "CreateApiKey", &request);
}

static inline const Auth__EnrolmentKey *new_enrolment_key(
	const char *tenant, const char *name, unsigned max_uses)
{
	Auth__CreateEnrolmentKeyRequest request = AUTH__CREATE_ENROLMENT_KEY_REQUEST__INIT;
	char *tags[] = { "site-1", "blue" };

	request.name = TEXT(name);
	request.network = NOBODY;
	request.tags = tags;
	request.n_tags = ARRAY_LEN(tags);
	request.max_uses = max_uses;
	request.approve = true;
	return ask(tenant, "CreateEnrolmentKey", &request);
}

static inline const char *new_device_secret(const char *tenant, const char *device)
{
	Auth__IssueDeviceSecretRequest request = AUTH__ISSUE_DEVICE_SECRET_REQUEST__INIT;

	request.device = TEXT(device);
	return ((const Auth__DeviceSecret *)ask(tenant, "IssueDeviceSecret", &request))->secret;
}

static inline Auth__Ref ref(const char *id)
{
	Auth__Ref request = AUTH__REF__INIT;

	request.id = TEXT(id);
	return request;
}

static inline Auth__Credential by_api_key(const char *secret)
{
	Auth__Credential credential = AUTH__CREDENTIAL__INIT;

	credential.api_key = TEXT(secret);
	return credential;
}

static inline Auth__Credential by_device(const char *device, const char *secret)
{
	Auth__Credential credential = AUTH__CREDENTIAL__INIT;

	credential.device = TEXT(device);
	credential.device_secret = TEXT(secret);
	return credential;
}

static inline Auth__Credential by_password(
	const char *tenant, const char *user, const char *password)
{
	Auth__Credential credential = AUTH__CREDENTIAL__INIT;

	credential.tenant_name = TEXT(tenant);
	credential.user = TEXT(user);
	credential.password = TEXT(password);
	return credential;
}

static inline const Auth__Principal *who_is(Auth__Credential credential)
{
	return ask(CALL_FLEET, "Authenticate", &credential);
}

/* Every kind of wrong looks the same from outside. */
static inline void nobody_is(Auth__Credential credential)
{
	const void *reply;
	err_t err;
	struct call *call = ask_with_key(
		"", "service:test", CALL_FLEET, "Authenticate", &credential, &reply, &err);

	if (err == OK) { /* a password: it was counted */
		const Auth__Principal *principal = reply;

		cr_assert_str_eq(principal->error, "the credential is not valid");
		cr_assert_str_eq(principal->subject, "");
		return;
	}
	cr_assert_eq(err, ERR_UNAUTHENTICATED, "%s: %s", err_name(err), call->fault.detail);
	cr_assert_str_eq(call->fault.field, "");
	cr_assert_str_eq(call->fault.detail, "the credential is not valid");
}

static inline Auth__SignTokenRequest sign_request(const char *subject)
{
	Auth__SignTokenRequest request = AUTH__SIGN_TOKEN_REQUEST__INIT;

	request.subject = TEXT(subject);
	return request;
}

/* Verifies a token as a node would, with the key set of this moment. */
static inline struct token_claims verify(const char *token)
{
	Auth__Empty empty = AUTH__EMPTY__INIT;
	const Auth__KeySet *set = ask(CALL_FLEET, "GetKeys", &empty);
	struct token_keys *keys = NULL;
	struct token_claims claims;

	cr_assert_eq(token_keys_create(&keys, set->jwks), OK, "%s", set->jwks);
	cr_assert_eq(token_verify(keys, token, strlen(token), "lanyard", clock_unix_ms() / 1000,
			     &claims),
		OK);
	token_keys_destroy(keys);
	return claims;
}

SQL(count_revoked, "SELECT count(*) AS n FROM fabric.event WHERE topic = 'revoked'");

static inline Auth__UpdateUserRequest block(const char *id)
{
	Auth__UpdateUserRequest request = AUTH__UPDATE_USER_REQUEST__INIT;

	request.id = TEXT(id);
	request.set_state_case = AUTH__UPDATE_USER_REQUEST__SET_STATE_STATE;
	request.state = "blocked";
	return request;
}

/* A call of a thread of its own, whose reply nobody reads. */
static inline err_t ask_alone(const char *method, const ProtobufCMessage *request)
{
	const ProtobufCMessage *reply;
	struct call call;
	err_t err = fixture_call(
		&fixture, &call, CALL_FLEET, &auth__auth__descriptor, method, request, &reply);

	call_finish(&call);
	return err;
}
