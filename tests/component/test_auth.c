/*
 * auth for real: two processes of the service, a PostgreSQL, and calls over the bus. Every test
 * begins with empty tables, so with a bootstrap.
 */
#include "tests/component/service_fixture.h"

#include "lib/token.h"
#include "proto/auth.pb-c.h"

#include <pthread.h>
#include <sys/stat.h>

#define FLEET	  "00000000-0000-7000-8000-000000000000"
#define NOBODY	  "018f0000-0000-7000-8000-0000000000ff"
#define DEVICE	  "018f0000-0000-7000-8000-0000000000d1"
#define PASSWORD  "correct horse battery"
#define CALLS_MAX 256
#define REDEEMERS 20
#define LOGINS	  24

#define TEXT(text)	((char *)(uintptr_t)(text))
#define SQL(name, text) static const struct db_statement name = { text }

SQL(reset, "WITH a AS (DELETE FROM auth.\"user\"), b AS (DELETE FROM auth.api_key),"
	   " c AS (DELETE FROM auth.enrolment_key), d AS (DELETE FROM auth.device_secret),"
	   " e AS (DELETE FROM auth.signing_key), f AS (DELETE FROM fabric.event)"
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

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	cr_assert(file);
	fputs(text, file);
	fclose(file);
}

static pid_t start_auth(void)
{
	const char *const settings[] = { files.key_setting, files.bootstrap_setting, NULL };

	return service_start(&fixture, "auth", settings);
}

static void start_all(void)
{
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		services[i] = start_auth();
	service_await(&fixture, "auth", ARRAY_LEN(services));
}

static void stop_all(void)
{
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		service_stop(services[i]);
	service_await(&fixture, "auth", 0);
}

static void open_without_services(void)
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

static void close_without_services(void)
{
	for (size_t i = 0; i < calls.n; i++)
		call_finish(&calls.list[i]);
	unlink(files.bootstrap);
	unlink(files.key);
	fixture_close(&fixture);
}

static void setup(void)
{
	open_without_services();
	start_all();
}

static void teardown(void)
{
	stop_all();
	close_without_services();
}

TestSuite(auth, .init = setup, .fini = teardown, .timeout = 120);
TestSuite(
	auth_start, .init = open_without_services, .fini = close_without_services, .timeout = 120);

/* ---- calls ---- */

/* One call; all that it brought is in the struct, which lives until the end of the test. */
static struct call *ask_with_key(const char *key, const char *actor, const char *tenant,
	const char *method, const void *request, const void **reply, err_t *err)
{
	struct call *call = &calls.list[calls.n++];
	const ProtobufCMessage *message = NULL;

	cr_assert_lt(calls.n, CALLS_MAX);
	call_init(call, fixture.bus, actor, FIXTURE_PATIENCE_MS);
	call->tenant = tenant;
	call->idempotency_key = key;
	*err = bus_call(call, &auth__auth__descriptor, method, request, &message);
	*reply = message;
	return call;
}

/* The reply of a call that must succeed. */
static const void *ask_as(
	const char *actor, const char *tenant, const char *method, const void *request)
{
	const void *reply;
	err_t err;
	struct call *call = ask_with_key("", actor, tenant, method, request, &reply, &err);

	cr_assert_eq(err, OK, "%s: %s %s: %s", method, err_name(err), call->fault.field,
		call->fault.detail);
	return reply;
}

static const void *ask(const char *tenant, const char *method, const void *request)
{
	return ask_as("service:test", tenant, method, request);
}

static void refuse_as(const char *actor, const char *tenant, const char *method,
	const void *request, err_t want, const char *field)
{
	const void *reply;
	err_t err;
	struct call *call = ask_with_key("", actor, tenant, method, request, &reply, &err);

	cr_assert_eq(err, want, "%s: %s %s: %s", method, err_name(err), call->fault.field,
		call->fault.detail);
	cr_assert_str_eq(call->fault.field, field, "%s", call->fault.detail);
}

static void refuse(
	const char *tenant, const char *method, const void *request, err_t want, const char *field)
{
	refuse_as("service:test", tenant, method, request, want, field);
}

static const Auth__Tenant *new_tenant(const char *name)
{
	Auth__CreateTenantRequest request = AUTH__CREATE_TENANT_REQUEST__INIT;

	request.name = TEXT(name);
	return ask(CALL_FLEET, "CreateTenant", &request);
}

static Auth__CreateUserRequest user_request(const char *name, const char *role)
{
	Auth__CreateUserRequest request = AUTH__CREATE_USER_REQUEST__INIT;

	request.name = TEXT(name);
	request.role = TEXT(role);
	request.password = PASSWORD;
	return request;
}

static const Auth__User *new_user(const char *tenant, const char *name, const char *role)
{
	Auth__CreateUserRequest request = user_request(name, role);

	return ask(tenant, "CreateUser", &request);
}

static Auth__CreateApiKeyRequest api_key_request(const char *name, const char *role)
{
	Auth__CreateApiKeyRequest request = AUTH__CREATE_API_KEY_REQUEST__INIT;

	request.name = TEXT(name);
	request.role = TEXT(role);
	return request;
}

static const Auth__ApiKey *new_api_key(const char *tenant, const char *name, const char *role)
{
	Auth__CreateApiKeyRequest request = api_key_request(name, role);

	return ask(tenant, "CreateApiKey", &request);
}

static const Auth__EnrolmentKey *new_enrolment_key(
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

static const char *new_device_secret(const char *tenant, const char *device)
{
	Auth__IssueDeviceSecretRequest request = AUTH__ISSUE_DEVICE_SECRET_REQUEST__INIT;

	request.device = TEXT(device);
	return ((const Auth__DeviceSecret *)ask(tenant, "IssueDeviceSecret", &request))->secret;
}

static Auth__Ref ref(const char *id)
{
	Auth__Ref request = AUTH__REF__INIT;

	request.id = TEXT(id);
	return request;
}

static Auth__Credential by_api_key(const char *secret)
{
	Auth__Credential credential = AUTH__CREDENTIAL__INIT;

	credential.api_key = TEXT(secret);
	return credential;
}

static Auth__Credential by_device(const char *device, const char *secret)
{
	Auth__Credential credential = AUTH__CREDENTIAL__INIT;

	credential.device = TEXT(device);
	credential.device_secret = TEXT(secret);
	return credential;
}

static Auth__Credential by_password(const char *tenant, const char *user, const char *password)
{
	Auth__Credential credential = AUTH__CREDENTIAL__INIT;

	credential.tenant_name = TEXT(tenant);
	credential.user = TEXT(user);
	credential.password = TEXT(password);
	return credential;
}

static const Auth__Principal *who_is(Auth__Credential credential)
{
	return ask(CALL_FLEET, "Authenticate", &credential);
}

/* Every kind of wrong looks the same from outside. */
static void nobody_is(Auth__Credential credential)
{
	const void *reply;
	err_t err;
	struct call *call = ask_with_key(
		"", "service:test", CALL_FLEET, "Authenticate", &credential, &reply, &err);

	cr_assert_eq(err, ERR_UNAUTHENTICATED, "%s: %s", err_name(err), call->fault.detail);
	cr_assert_str_eq(call->fault.field, "");
	cr_assert_str_eq(call->fault.detail, "the credential is not valid");
}

static Auth__SignTokenRequest sign_request(const char *subject)
{
	Auth__SignTokenRequest request = AUTH__SIGN_TOKEN_REQUEST__INIT;

	request.subject = TEXT(subject);
	return request;
}

/* Verifies a token as a node would, with the key set of this moment. */
static struct token_claims verify(const char *token)
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

/* ---- the first start ---- */

SQL(count_first, "SELECT (SELECT count(*) FROM auth.tenant) * 1000"
		 " + (SELECT count(*) FROM auth.\"user\") * 100"
		 " + (SELECT count(*) FROM auth.api_key) * 10"
		 " + (SELECT count(*) FROM auth.signing_key) AS n");

/* The value of NAME= in the file with the first operator's credentials. */
static const char *credential_of_file(const char *name, char value[128])
{
	char line[160];
	FILE *file = fopen(files.bootstrap, "re");

	cr_assert(file);
	*value = '\0';
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == '=')
			snprintf(value, 128, "%.*s", (int)strcspn(line + strlen(name) + 1, "\n"),
				line + strlen(name) + 1);
	fclose(file);
	return value;
}

Test(auth, two_instances_make_one_first_operator)
{
	char user[128], tenant[128], password[128], key[128];
	const Auth__Principal *principal;
	struct stat status;

	cr_assert_eq(fixture_sql(&fixture, &count_first), 1111);
	cr_assert_eq(stat(files.bootstrap, &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0600);
	credential_of_file("LANYARD_ADMIN_USER", user);
	credential_of_file("LANYARD_ADMIN_TENANT", tenant);
	credential_of_file("LANYARD_ADMIN_PASSWORD", password);
	credential_of_file("LANYARD_ADMIN_API_KEY", key);
	principal = who_is(by_password(tenant, user, password));
	cr_assert_str_eq(principal->tenant, FLEET);
	cr_assert_str_eq(principal->role, "owner");
	cr_assert_eq(strncmp(principal->subject, "user:", 5), 0);
	principal = who_is(by_api_key(key));
	cr_assert_str_eq(principal->tenant, FLEET);
	cr_assert_str_eq(principal->role, "owner");
}

Test(auth, a_second_start_makes_nothing)
{
	stop_all();
	unlink(files.bootstrap);
	start_all();
	cr_assert_eq(fixture_sql(&fixture, &count_first), 1111);
	cr_assert_eq(access(files.bootstrap, F_OK), -1);
}

Test(auth_start, a_file_of_a_killed_start_is_replaced)
{
	char key[128];

	write_text(files.bootstrap, "LANYARD_ADMIN_USER=admin\nLANYARD_ADMIN_API_KEY=void\n");
	start_all();
	who_is(by_api_key(credential_of_file("LANYARD_ADMIN_API_KEY", key)));
	stop_all();
}

Test(auth_start, a_file_of_somebody_else_is_left_alone)
{
	char line[64] = "";
	pid_t pid;
	int status;
	FILE *file;

	write_text(files.bootstrap, "precious\n");
	pid = start_auth();
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1, "status %d", status);
	cr_assert_eq(fixture_sql(&fixture, &count_first), 0);
	file = fopen(files.bootstrap, "re");
	cr_assert(file && fgets(line, sizeof(line), file));
	fclose(file);
	cr_assert_str_eq(line, "precious\n");
}

Test(auth_start, a_wrong_key_file_ends_the_start)
{
	static const char *const wrong[] = { "", "00\n",
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeefg\n",
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00\n" };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		pid_t pid;
		int status;

		write_text(files.key, wrong[i]);
		pid = start_auth();
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1, "row %zu", i);
	}
}

Test(auth_start, another_key_file_than_that_of_the_database_ends_the_start)
{
	pid_t pid;
	int status;

	start_all();
	stop_all();
	write_text(files.key, "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
	pid = start_auth();
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1, "status %d", status);
}

/* ---- tenants ---- */

Test(auth, tenants_are_made_and_listed_by_the_fleet_only)
{
	const Auth__Tenant *a = new_tenant("a"), *b = new_tenant("b");
	Auth__CreateTenantRequest create = AUTH__CREATE_TENANT_REQUEST__INIT;
	Auth__ListRequest list = AUTH__LIST_REQUEST__INIT;
	const Auth__TenantList *page;
	Auth__Ref other = ref(b->id), own = ref("");

	cr_assert_str_eq(a->state, "active");
	cr_assert_eq(a->version, 1);
	list.limit = 2;
	page = ask(CALL_FLEET, "ListTenants", &list);
	cr_assert_eq(page->n_items, 2);
	cr_assert_str_eq(page->items[0]->id, FLEET);
	cr_assert_str_eq(page->items[1]->id, a->id);
	list.cursor = page->next_cursor;
	page = ask(CALL_FLEET, "ListTenants", &list);
	cr_assert_eq(page->n_items, 1);
	cr_assert_str_eq(page->items[0]->name, "b");
	cr_assert_str_eq(page->next_cursor, "");

	refuse(a->id, "ListTenants", &list, ERR_PERMISSION_DENIED, "");
	create.name = "c";
	refuse(a->id, "CreateTenant", &create, ERR_PERMISSION_DENIED, "");
	create.name = "b";
	refuse(CALL_FLEET, "CreateTenant", &create, ERR_ALREADY_EXISTS, "name");
	create.name = "Not a label";
	refuse(CALL_FLEET, "CreateTenant", &create, ERR_INVALID_ARGUMENT, "name");
	refuse(a->id, "GetTenant", &other, ERR_NOT_FOUND, "");
	cr_assert_str_eq(((const Auth__Tenant *)ask(a->id, "GetTenant", &own))->name, "a");
}

SQL(count_revoked, "SELECT count(*) AS n FROM fabric.event WHERE topic = 'revoked'");

Test(auth, nobody_of_a_suspended_tenant_gets_in)
{
	const Auth__Tenant *tenant = new_tenant("a");
	const Auth__User *user = new_user(tenant->id, "ann", "owner");
	Auth__Credential credentials[] = { by_password("a", "ann", PASSWORD),
		by_api_key(new_api_key(tenant->id, "k", "admin")->secret),
		by_device(DEVICE, new_device_secret(tenant->id, DEVICE)) };
	Auth__RedeemEnrolmentKeyRequest redeem = AUTH__REDEEM_ENROLMENT_KEY_REQUEST__INIT;
	Auth__UpdateTenantRequest update = AUTH__UPDATE_TENANT_REQUEST__INIT;
	Auth__SignTokenRequest sign =
		sign_request(arena_printf(calls.list[0].arena, "user:%s", user->id));

	redeem.secret = new_enrolment_key(tenant->id, "k", 0)->secret;
	update.set_state_case = AUTH__UPDATE_TENANT_REQUEST__SET_STATE_STATE;
	update.state = "asleep";
	refuse(tenant->id, "UpdateTenant", &update, ERR_INVALID_ARGUMENT, "state");
	update.state = "suspended";
	refuse(FLEET, "UpdateTenant", &update, ERR_FAILED_PRECONDITION, "state");
	update.version = 7;
	refuse(tenant->id, "UpdateTenant", &update, ERR_FAILED_PRECONDITION, "version");
	update.version = 1;
	cr_assert_eq(((const Auth__Tenant *)ask(tenant->id, "UpdateTenant", &update))->version, 2);
	cr_assert_eq(fixture_sql(&fixture, &count_revoked), 1);
	for (size_t i = 0; i < ARRAY_LEN(credentials); i++)
		nobody_is(credentials[i]);
	refuse(CALL_FLEET, "RedeemEnrolmentKey", &redeem, ERR_UNAUTHENTICATED, "");
	refuse(tenant->id, "SignToken", &sign, ERR_UNAUTHENTICATED, "");

	update.version = 0;
	update.state = "active";
	ask(tenant->id, "UpdateTenant", &update);
	for (size_t i = 0; i < ARRAY_LEN(credentials); i++)
		who_is(credentials[i]);
	ask(CALL_FLEET, "RedeemEnrolmentKey", &redeem);
}

/* ---- users ---- */

Test(auth, users_are_checked_before_they_are_made)
{
	static const struct {
		const char *name, *role, *password, *field;
		err_t want;
	} rows[] = {
		{ "", "member", PASSWORD, "name", ERR_INVALID_ARGUMENT },
		{ "a\nb", "member", PASSWORD, "name", ERR_INVALID_ARGUMENT },
		{ "\xff", "member", PASSWORD, "name", ERR_INVALID_ARGUMENT },
		{ "bob", "", PASSWORD, "role", ERR_INVALID_ARGUMENT },
		{ "bob", "device", PASSWORD, "role", ERR_INVALID_ARGUMENT },
		{ "bob", "member", "short", "password", ERR_INVALID_ARGUMENT },
		{ "ann", "member", PASSWORD, "name", ERR_ALREADY_EXISTS },
	};
	const char *tenant = new_tenant("a")->id;
	Auth__ListRequest list = AUTH__LIST_REQUEST__INIT;
	const Auth__UserList *page;

	new_user(tenant, "ann", "owner");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		Auth__CreateUserRequest request = user_request(rows[i].name, rows[i].role);

		request.password = TEXT(rows[i].password);
		refuse(tenant, "CreateUser", &request, rows[i].want, rows[i].field);
	}
	page = ask(tenant, "ListUsers", &list);
	cr_assert_eq(page->n_items, 1);
	list.name = "'; DROP TABLE auth.\"user\" --";
	page = ask(tenant, "ListUsers", &list);
	cr_assert_eq(page->n_items, 0);
	list.cursor = "7";
	refuse(tenant, "ListUsers", &list, ERR_INVALID_ARGUMENT, "cursor");
}

static Auth__UpdateUserRequest block(const char *id)
{
	Auth__UpdateUserRequest request = AUTH__UPDATE_USER_REQUEST__INIT;

	request.id = TEXT(id);
	request.set_state_case = AUTH__UPDATE_USER_REQUEST__SET_STATE_STATE;
	request.state = "blocked";
	return request;
}

static Auth__UpdateUserRequest set_role(const char *id, const char *role)
{
	Auth__UpdateUserRequest request = AUTH__UPDATE_USER_REQUEST__INIT;

	request.id = TEXT(id);
	request.set_role_case = AUTH__UPDATE_USER_REQUEST__SET_ROLE_ROLE;
	request.role = TEXT(role);
	return request;
}

Test(auth, the_last_active_owner_stays)
{
	const char *tenant = new_tenant("a")->id;
	const char *ann = new_user(tenant, "ann", "owner")->id;
	Auth__RevokeRequest revoke = AUTH__REVOKE_REQUEST__INIT;
	Auth__UpdateUserRequest blocked = block(ann), demoted = set_role(ann, "admin");
	Auth__UpdateUserRequest bob_blocked;
	Auth__Ref deleted = ref(ann);
	const char *bob;

	revoke.subject = arena_printf(calls.list[0].arena, "user:%s", ann);
	new_user(tenant, "adam", "admin");
	refuse(tenant, "UpdateUser", &blocked, ERR_FAILED_PRECONDITION, "");
	refuse(tenant, "UpdateUser", &demoted, ERR_FAILED_PRECONDITION, "");
	refuse(tenant, "DeleteUser", &deleted, ERR_FAILED_PRECONDITION, "");
	refuse(tenant, "Revoke", &revoke, ERR_FAILED_PRECONDITION, "");
	who_is(by_password("a", "ann", PASSWORD));
	cr_assert_eq(fixture_sql(&fixture, &count_revoked), 0);

	bob = new_user(tenant, "bob", "owner")->id;
	bob_blocked = block(bob);
	ask(tenant, "UpdateUser", &bob_blocked);
	refuse(tenant, "DeleteUser", &deleted, ERR_FAILED_PRECONDITION, "");
	bob_blocked.state = "active";
	ask(tenant, "UpdateUser", &bob_blocked);
	ask(tenant, "DeleteUser", &deleted);
	nobody_is(by_password("a", "ann", PASSWORD));
}

Test(auth, a_changed_user_loses_its_tokens)
{
	const char *tenant = new_tenant("a")->id;
	const char *id;
	Auth__UpdateUserRequest demoted, blocked, changed = AUTH__UPDATE_USER_REQUEST__INIT;
	Auth__Ref deleted;
	const Auth__User *user;

	new_user(tenant, "ann", "owner");
	id = new_user(tenant, "bob", "admin")->id;
	demoted = set_role(id, "member");
	ask(tenant, "UpdateUser", &demoted);
	cr_assert_eq(fixture_sql(&fixture, &count_revoked), 1);
	changed.id = TEXT(id);
	changed.set_password_case = AUTH__UPDATE_USER_REQUEST__SET_PASSWORD_PASSWORD;
	changed.password = "another long password";
	ask(tenant, "UpdateUser", &changed);
	cr_assert_eq(fixture_sql(&fixture, &count_revoked), 2);
	nobody_is(by_password("a", "bob", PASSWORD));
	cr_assert_str_eq(who_is(by_password("a", "bob", changed.password))->role, "member");

	blocked = block(id);
	blocked.version = 1;
	refuse(tenant, "UpdateUser", &blocked, ERR_FAILED_PRECONDITION, "version");
	blocked.version = 3;
	user = ask(tenant, "UpdateUser", &blocked);
	cr_assert_str_eq(user->state, "blocked");
	cr_assert_eq(user->version, 4);
	cr_assert_eq(fixture_sql(&fixture, &count_revoked), 3);
	nobody_is(by_password("a", "bob", changed.password));
	deleted = ref(id);
	ask(tenant, "DeleteUser", &deleted);
	cr_assert_eq(fixture_sql(&fixture, &count_revoked), 4);
	refuse(tenant, "GetUser", &deleted, ERR_NOT_FOUND, "");
}

Test(auth, only_an_owner_changes_owners)
{
	const char *tenant = new_tenant("a")->id;
	const char *ann = new_user(tenant, "ann", "owner")->id;
	const char *adam = new_user(tenant, "adam", "admin")->id;
	struct arena *arena = calls.list[0].arena;
	const char *owner = arena_printf(arena, "user:%s", ann);
	const char *admin = arena_printf(arena, "user:%s", adam);
	Auth__CreateUserRequest create = user_request("olga", "owner");
	Auth__CreateApiKeyRequest key = api_key_request("k", "owner");
	Auth__UpdateUserRequest takeover = AUTH__UPDATE_USER_REQUEST__INIT;
	Auth__UpdateUserRequest rise = set_role(adam, "owner");
	Auth__Ref deleted = ref(ann), owners_key;

	takeover.id = TEXT(ann);
	takeover.set_password_case = AUTH__UPDATE_USER_REQUEST__SET_PASSWORD_PASSWORD;
	takeover.password = "mine, all mine now";
	refuse_as(admin, tenant, "CreateUser", &create, ERR_PERMISSION_DENIED, "role");
	refuse_as(admin, tenant, "CreateApiKey", &key, ERR_PERMISSION_DENIED, "role");
	refuse_as(admin, tenant, "UpdateUser", &takeover, ERR_PERMISSION_DENIED, "role");
	refuse_as(admin, tenant, "UpdateUser", &rise, ERR_PERMISSION_DENIED, "role");
	refuse_as(admin, tenant, "DeleteUser", &deleted, ERR_PERMISSION_DENIED, "role");
	create.role = "admin";
	ask_as(admin, tenant, "CreateUser", &create);
	owners_key = ref(((const Auth__ApiKey *)ask_as(owner, tenant, "CreateApiKey", &key))->id);
	refuse_as(admin, tenant, "DeleteApiKey", &owners_key, ERR_PERMISSION_DENIED, "role");
	ask_as(owner, tenant, "UpdateUser", &rise);
	ask_as(admin, tenant, "DeleteUser", &deleted);
}

Test(auth, the_fleets_operators_act_on_every_tenant_and_others_on_their_own)
{
	const char *a = new_tenant("a")->id, *b = new_tenant("b")->id;
	struct arena *arena = calls.list[0].arena;
	const char *stranger = arena_printf(arena, "user:%s", new_user(b, "bob", "owner")->id);
	const char *operator_ =
		arena_printf(arena, "user:%s", new_user(FLEET, "olga", "owner")->id);
	Auth__CreateUserRequest create = user_request("ann", "owner");

	refuse_as(stranger, a, "CreateUser", &create, ERR_PERMISSION_DENIED, "");
	refuse_as("user:" NOBODY, a, "CreateUser", &create, ERR_PERMISSION_DENIED, "");
	refuse_as("device:" NOBODY, a, "CreateUser", &create, ERR_PERMISSION_DENIED, "");
	ask_as(operator_, a, "CreateUser", &create);
}

/* ---- API keys ---- */

SQL(expire_keys, "WITH k AS (UPDATE auth.api_key SET expires_at = now() - interval '1 second'"
		 " WHERE expires_at IS NOT NULL) UPDATE auth.enrolment_key"
		 " SET expires_at = now() - interval '1 second' WHERE expires_at IS NOT NULL");

Test(auth, an_api_key_is_shown_once_and_ends)
{
	const char *tenant = new_tenant("a")->id;
	Auth__CreateApiKeyRequest request = api_key_request("short", "operator");
	char *scopes[] = { "networks:read", "devices:write" };
	Auth__ListRequest list = AUTH__LIST_REQUEST__INIT;
	const Auth__ApiKey *key, *brief;
	const Auth__Principal *principal;
	const Auth__ApiKeyList *page;
	Auth__Ref id;

	request.scopes = scopes;
	request.n_scopes = ARRAY_LEN(scopes);
	request.expires_in_s = 3600;
	brief = ask(tenant, "CreateApiKey", &request);
	key = new_api_key(tenant, "for ever", "operator");
	cr_assert_str_neq(brief->expires_at, "");
	cr_assert_str_eq(key->expires_at, "");
	cr_assert_eq(strncmp(key->secret, "lyk_", 4), 0);
	principal = who_is(by_api_key(brief->secret));
	cr_assert_str_eq(principal->role, "operator");
	cr_assert_eq(principal->n_scopes, 2);
	cr_assert_str_eq(principal->scopes[1], "devices:write");

	page = ask(tenant, "ListApiKeys", &list);
	cr_assert_eq(page->n_items, 2);
	cr_assert_str_eq(page->items[0]->secret, "");
	cr_assert_str_neq(page->items[0]->last_used_at, "");
	cr_assert_str_eq(page->items[1]->last_used_at, "");

	fixture_sql(&fixture, &expire_keys);
	nobody_is(by_api_key(brief->secret));
	cr_assert_eq(who_is(by_api_key(key->secret))->n_scopes, 0);
	id = ref(key->id);
	ask(tenant, "DeleteApiKey", &id);
	cr_assert_eq(fixture_sql(&fixture, &count_revoked), 1);
	nobody_is(by_api_key(key->secret));
	refuse(tenant, "DeleteApiKey", &id, ERR_NOT_FOUND, "");
}

Test(auth, an_api_key_hands_on_no_more_than_it_has)
{
	const char *tenant = new_tenant("a")->id;
	char *narrow[] = { "api-keys:write", "networks:read" };
	char *wider[] = { "networks:read", "networks:write" };
	char *foreign[] = { "users:write" };
	Auth__CreateApiKeyRequest request = api_key_request("narrow", "admin");
	const char *actor;

	request.scopes = narrow;
	request.n_scopes = 2;
	actor = who_is(
		by_api_key(((const Auth__ApiKey *)ask(tenant, "CreateApiKey", &request))->secret))
			->subject;
	request.name = "child";
	request.scopes = wider;
	refuse_as(actor, tenant, "CreateApiKey", &request, ERR_PERMISSION_DENIED, "scopes");
	request.n_scopes = 0;
	refuse_as(actor, tenant, "CreateApiKey", &request, ERR_PERMISSION_DENIED, "scopes");
	request.n_scopes = 1;
	ask_as(actor, tenant, "CreateApiKey", &request);
	request.name = "foreign";
	request.role = "operator";
	request.scopes = foreign;
	refuse(tenant, "CreateApiKey", &request, ERR_INVALID_ARGUMENT, "scopes");
}

SQL(count_api_keys, "SELECT count(*) AS n FROM auth.api_key WHERE name = 'twice'");

Test(auth, a_retry_gets_the_same_secret_and_makes_no_second_row)
{
	const char *tenant = new_tenant("a")->id;
	Auth__CreateApiKeyRequest request = api_key_request("twice", "admin");
	const void *first, *again, *other;
	err_t err;

	ask_with_key("key-1", "service:test", tenant, "CreateApiKey", &request, &first, &err);
	cr_assert_eq(err, OK);
	ask_with_key("key-1", "service:test", tenant, "CreateApiKey", &request, &again, &err);
	cr_assert_eq(err, OK);
	cr_assert_str_eq(
		((const Auth__ApiKey *)first)->secret, ((const Auth__ApiKey *)again)->secret);
	ask_with_key("key-2", "service:test", tenant, "CreateApiKey", &request, &other, &err);
	cr_assert_eq(err, ERR_ALREADY_EXISTS);
	cr_assert_eq(fixture_sql(&fixture, &count_api_keys), 1);
}

/* ---- enrolment keys ---- */

/* A call of a thread of its own, whose reply nobody reads. */
static err_t ask_alone(const char *method, const ProtobufCMessage *request)
{
	const ProtobufCMessage *reply;
	struct call call;
	err_t err = fixture_call(
		&fixture, &call, CALL_FLEET, &auth__auth__descriptor, method, request, &reply);

	call_finish(&call);
	return err;
}

static void *redeem_once(void *secret)
{
	Auth__RedeemEnrolmentKeyRequest request = AUTH__REDEEM_ENROLMENT_KEY_REQUEST__INIT;

	request.secret = secret;
	return (void *)(uintptr_t)ask_alone("RedeemEnrolmentKey", &request.base);
}

Test(auth, an_enrolment_key_is_never_used_too_often)
{
	const char *tenant = new_tenant("a")->id;
	const Auth__EnrolmentKey *key = new_enrolment_key(tenant, "five", 5), *after;
	pthread_t threads[REDEEMERS];
	int n[ERR_LAST + 1] = { 0 };
	Auth__Ref id = ref(key->id);

	for (size_t i = 0; i < REDEEMERS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, redeem_once, key->secret), 0);
	for (size_t i = 0; i < REDEEMERS; i++) {
		void *err;

		pthread_join(threads[i], &err);
		n[(uintptr_t)err]++;
	}
	cr_assert_eq(n[OK], 5);
	cr_assert_eq(n[ERR_UNAUTHENTICATED], REDEEMERS - 5);
	after = ask(tenant, "GetEnrolmentKey", &id);
	cr_assert_eq(after->uses, 5);
	cr_assert_str_eq(after->secret, "");
}

Test(auth, an_enrolment_key_grants_what_it_says_until_it_ends)
{
	const char *tenant = new_tenant("a")->id;
	const Auth__EnrolmentKey *key = new_enrolment_key(tenant, "k", 0);
	Auth__RedeemEnrolmentKeyRequest redeem = AUTH__REDEEM_ENROLMENT_KEY_REQUEST__INIT;
	Auth__CreateEnrolmentKeyRequest create = AUTH__CREATE_ENROLMENT_KEY_REQUEST__INIT;
	Auth__Ref id = ref(key->id);
	const Auth__Grant *grant;

	redeem.secret = key->secret;
	grant = ask(CALL_FLEET, "RedeemEnrolmentKey", &redeem);
	cr_assert_str_eq(grant->tenant, tenant);
	cr_assert_str_eq(grant->enrolment_key, key->id);
	cr_assert_str_eq(grant->network, NOBODY);
	cr_assert_eq(grant->n_tags, 2);
	cr_assert_str_eq(grant->tags[0], "site-1");
	cr_assert(grant->approve);
	id.version = 2;
	refuse(tenant, "RevokeEnrolmentKey", &id, ERR_FAILED_PRECONDITION, "version");
	id.version = 0;
	for (int i = 0; i < 2; i++)
		cr_assert_str_eq(
			((const Auth__EnrolmentKey *)ask(tenant, "RevokeEnrolmentKey", &id))->state,
			"revoked");
	refuse(CALL_FLEET, "RedeemEnrolmentKey", &redeem, ERR_UNAUTHENTICATED, "");

	create.name = "brief";
	create.expires_in_s = 60;
	redeem.secret =
		((const Auth__EnrolmentKey *)ask(tenant, "CreateEnrolmentKey", &create))->secret;
	ask(CALL_FLEET, "RedeemEnrolmentKey", &redeem);
	fixture_sql(&fixture, &expire_keys);
	refuse(CALL_FLEET, "RedeemEnrolmentKey", &redeem, ERR_UNAUTHENTICATED, "");
	redeem.secret = new_api_key(tenant, "k", "owner")->secret;
	refuse(CALL_FLEET, "RedeemEnrolmentKey", &redeem, ERR_UNAUTHENTICATED, "");
}

Test(auth, enrolment_keys_are_checked_before_they_are_made)
{
	const char *tenant = new_tenant("a")->id;
	char *tags[17];
	Auth__CreateEnrolmentKeyRequest request = AUTH__CREATE_ENROLMENT_KEY_REQUEST__INIT;

	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		tags[i] = "tag";
	refuse(tenant, "CreateEnrolmentKey", &request, ERR_INVALID_ARGUMENT, "name");
	request.name = "k";
	request.network = "office";
	refuse(tenant, "CreateEnrolmentKey", &request, ERR_INVALID_ARGUMENT, "network");
	request.network = "";
	request.tags = tags;
	request.n_tags = 17;
	refuse(tenant, "CreateEnrolmentKey", &request, ERR_INVALID_ARGUMENT, "tags");
	request.n_tags = 1;
	tags[0] = "no\"label";
	refuse(tenant, "CreateEnrolmentKey", &request, ERR_INVALID_ARGUMENT, "tags");
}

/* ---- who is it ---- */

Test(auth, every_kind_of_wrong_looks_the_same)
{
	const char *tenant = new_tenant("a")->id;
	const char *key = new_api_key(tenant, "k", "admin")->secret;
	const char *secret = new_device_secret(tenant, DEVICE);
	struct arena *arena = calls.list[0].arena;
	char *forged = arena_strdup(arena, key);
	Auth__Credential both = by_api_key(key);

	new_user(tenant, "ann", "owner");
	both.device = DEVICE;
	both.device_secret = TEXT(secret);
	forged[strlen(forged) - 2] = forged[strlen(forged) - 2] == 'A' ? 'B' : 'A';
	nobody_is((Auth__Credential)AUTH__CREDENTIAL__INIT);
	nobody_is(both);
	nobody_is(by_api_key(forged));
	nobody_is(by_api_key(arena_printf(arena, "%sA", key)));
	nobody_is(by_api_key("lyk_"));
	nobody_is(by_api_key(secret));
	nobody_is(by_device(NOBODY, secret));
	nobody_is(by_device("", secret));
	nobody_is(by_device("' OR true --", secret));
	nobody_is(by_device(DEVICE, ""));
	nobody_is(by_device(DEVICE, key));
	nobody_is(by_password("a", "ann", "wrong password 1"));
	nobody_is(by_password("a", "ann", ""));
	nobody_is(by_password("a", "bob", PASSWORD));
	nobody_is(by_password("b", "ann", PASSWORD));
	nobody_is(by_password("", "ann", PASSWORD));
	nobody_is(by_password("a", "\xff", PASSWORD));
	cr_assert_str_eq(who_is(by_device(DEVICE, secret))->role, "device");
}

static void *log_in(void *nothing)
{
	Auth__Credential credential = by_password("a", "ann", PASSWORD);

	(void)nothing;
	return (void *)(uintptr_t)ask_alone("Authenticate", &credential.base);
}

Test(auth, a_flood_of_passwords_leaves_room_for_other_calls)
{
	const char *tenant = new_tenant("a")->id;
	pthread_t threads[LOGINS];
	Auth__Empty empty = AUTH__EMPTY__INIT;
	int n[ERR_LAST + 1] = { 0 };

	new_user(tenant, "ann", "owner");
	for (size_t i = 0; i < LOGINS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, log_in, NULL), 0);
	ask(CALL_FLEET, "GetKeys", &empty);
	for (size_t i = 0; i < LOGINS; i++) {
		void *err;

		pthread_join(threads[i], &err);
		n[(uintptr_t)err]++;
	}
	cr_assert_gt(n[OK], 0);
	cr_assert_eq(n[OK] + n[ERR_RESOURCE_EXHAUSTED], LOGINS);
}

Test(auth, a_new_secret_of_a_device_ends_the_old_one)
{
	const char *a = new_tenant("a")->id, *b = new_tenant("b")->id;
	const char *old = new_device_secret(a, DEVICE), *new = new_device_secret(a, DEVICE);
	Auth__IssueDeviceSecretRequest theft = AUTH__ISSUE_DEVICE_SECRET_REQUEST__INIT;

	nobody_is(by_device(DEVICE, old));
	cr_assert_str_eq(who_is(by_device(DEVICE, new))->tenant, a);
	theft.device = DEVICE;
	refuse(b, "IssueDeviceSecret", &theft, ERR_ALREADY_EXISTS, "device");
	cr_assert_str_eq(who_is(by_device(DEVICE, new))->subject, "device:" DEVICE);
}

/* ---- tokens ---- */

Test(auth, a_token_says_what_was_vouched_for)
{
	const char *tenant = new_tenant("a")->id;
	Auth__SignTokenRequest request = sign_request("device:" DEVICE);
	char *scopes[] = { "network:attach", "pairs:claim" };
	const Auth__Token *token;
	struct token_claims claims;

	new_device_secret(tenant, DEVICE);
	request.role = "device";
	request.scopes = scopes;
	request.n_scopes = 2;
	request.network = NOBODY;
	request.member = NOBODY;
	request.mac = "02:00:00:00:00:01";
	request.mac_limit = 4;
	request.policy_version = 9;
	token = ask(tenant, "SignToken", &request);
	cr_assert_str_eq(token->token_type, "Bearer");
	cr_assert_eq(token->expires_in, 600);
	claims = verify(token->access_token);
	cr_assert_str_eq(claims.tenant, tenant);
	cr_assert_str_eq(claims.subject, "device:" DEVICE);
	cr_assert_str_eq(claims.role, "device");
	cr_assert_eq(claims.n_scopes, 2);
	cr_assert_str_eq(claims.scopes[0], "network:attach");
	cr_assert_str_eq(claims.network, NOBODY);
	cr_assert_str_eq(claims.mac, "02:00:00:00:00:01");
	cr_assert_eq(claims.mac_limit, 4);
	cr_assert_eq(claims.policy_version, 9);
	cr_assert_eq(claims.expires_at - claims.issued_at, 600);

	request.role = "root";
	refuse(tenant, "SignToken", &request, ERR_INVALID_ARGUMENT, "role");
	request.role = "device";
	scopes[1] = "everything";
	refuse(tenant, "SignToken", &request, ERR_INVALID_ARGUMENT, "scopes");
	request.n_scopes = 1;
	request.mac = "02:00:00:00:00:012";
	refuse(tenant, "SignToken", &request, ERR_INVALID_ARGUMENT, "mac");
	request.mac = "";
	request.subject = "nobody";
	refuse(tenant, "SignToken", &request, ERR_INVALID_ARGUMENT, "subject");
}

SQL(last_revocation, "SELECT octet_length(body) AS n FROM fabric.event"
		     " WHERE topic = 'revoked' AND tenant_id IS NOT NULL");

Test(auth, who_was_revoked_gets_no_token)
{
	const Auth__Tenant *tenant = new_tenant("a");
	const Auth__ApiKey *key = new_api_key(tenant->id, "k", "admin");
	const char *secret = new_device_secret(tenant->id, DEVICE);
	Auth__RevokeRequest revoke = AUTH__REVOKE_REQUEST__INIT;
	const char *subjects[] = { "device:" DEVICE, who_is(by_api_key(key->secret))->subject };

	for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
		Auth__SignTokenRequest sign = sign_request(subjects[i]);

		ask(tenant->id, "SignToken", &sign);
		refuse(FLEET, "SignToken", &sign, ERR_UNAUTHENTICATED, "");
		revoke.subject = TEXT(subjects[i]);
		revoke.reason = "stolen";
		ask(tenant->id, "Revoke", &revoke);
		refuse(tenant->id, "SignToken", &sign, ERR_UNAUTHENTICATED, "");
		cr_assert_eq(fixture_sql(&fixture, &count_revoked), (long long)i + 1);
	}
	cr_assert_gt(fixture_sql(&fixture, &last_revocation), 0);
	nobody_is(by_device(DEVICE, secret));
	nobody_is(by_api_key(key->secret));
	revoke.subject = "device:x";
	refuse(tenant->id, "Revoke", &revoke, ERR_INVALID_ARGUMENT, "subject");
}

Test(auth, a_token_outlives_the_key_that_signed_it)
{
	const char *tenant = new_tenant("a")->id;
	Auth__SignTokenRequest request = sign_request("device:" DEVICE);
	Auth__Empty empty = AUTH__EMPTY__INIT;
	const Auth__Token *before, *after;
	const Auth__KeySet *set;
	const char *start_of_claims;

	new_device_secret(tenant, DEVICE);
	before = ask(tenant, "SignToken", &request);
	refuse(tenant, "RotateKeys", &empty, ERR_PERMISSION_DENIED, "");
	set = ask(FLEET, "RotateKeys", &empty);
	cr_assert_eq(strstr(set->jwks, "\"d\":"), NULL);
	after = ask(tenant, "SignToken", &request);
	start_of_claims = strchr(before->access_token, '.');
	cr_assert_neq(strncmp(before->access_token, after->access_token,
			      (size_t)(start_of_claims - before->access_token)),
		0, "the key id is another one");
	verify(before->access_token);
	verify(after->access_token);
}

SQL(age_keys, "UPDATE auth.signing_key SET active_from = active_from - interval '24 hours',"
	      " retired_at = retired_at - interval '24 hours'");
SQL(count_next_keys, "SELECT count(*) AS n FROM auth.signing_key"
		     " WHERE active_from >= now() + interval '5 minutes'");
SQL(count_keys, "SELECT count(*) AS n FROM auth.signing_key");
SQL(count_keys_events, "SELECT count(*) AS n FROM fabric.event WHERE topic = 'keys'");

Test(auth, the_next_key_is_published_before_it_signs_and_old_ones_go)
{
	const char *tenant = new_tenant("a")->id;
	Auth__SignTokenRequest request = sign_request("device:" DEVICE);
	const Auth__Token *token;

	new_device_secret(tenant, DEVICE);
	stop_all();
	fixture_sql(&fixture, &age_keys);
	start_all();
	AWAIT(fixture_sql(&fixture, &count_next_keys) == 1);
	cr_assert_eq(fixture_sql(&fixture, &count_keys), 2);
	token = ask(tenant, "SignToken", &request);
	verify(token->access_token);

	/* A day later the second is in use and the first is over. */
	stop_all();
	fixture_sql(&fixture, &age_keys);
	start_all();
	AWAIT(fixture_sql(&fixture, &count_keys_events) == 4);
	cr_assert_eq(fixture_sql(&fixture, &count_keys), 2);
	token = ask(tenant, "SignToken", &request);
	verify(token->access_token);
}

/* ---- isolation ---- */

Test(auth, no_tenant_reaches_anothers)
{
	const char *a = new_tenant("a")->id, *b = new_tenant("b")->id;
	Auth__Ref user = ref(new_user(b, "bob", "owner")->id);
	Auth__Ref key = ref(new_api_key(b, "k", "owner")->id);
	Auth__Ref enrolment = ref(new_enrolment_key(b, "e", 0)->id);
	Auth__UpdateUserRequest blocked = block(user.id);
	Auth__ListRequest list = AUTH__LIST_REQUEST__INIT;
	Auth__RevokeRequest revoke = AUTH__REVOKE_REQUEST__INIT;
	const char *secret = new_device_secret(b, DEVICE);

	new_user(a, "ann", "owner");
	refuse(a, "GetUser", &user, ERR_NOT_FOUND, "");
	refuse(a, "UpdateUser", &blocked, ERR_NOT_FOUND, "");
	refuse(a, "DeleteUser", &user, ERR_NOT_FOUND, "");
	refuse(a, "GetApiKey", &key, ERR_NOT_FOUND, "");
	refuse(a, "DeleteApiKey", &key, ERR_NOT_FOUND, "");
	refuse(a, "GetEnrolmentKey", &enrolment, ERR_NOT_FOUND, "");
	refuse(a, "RevokeEnrolmentKey", &enrolment, ERR_NOT_FOUND, "");
	cr_assert_eq(((const Auth__ApiKeyList *)ask(a, "ListApiKeys", &list))->n_items, 0);
	cr_assert_eq(
		((const Auth__EnrolmentKeyList *)ask(a, "ListEnrolmentKeys", &list))->n_items, 0);
	cr_assert_eq(((const Auth__UserList *)ask(a, "ListUsers", &list))->n_items, 1);
	revoke.subject = "device:" DEVICE;
	ask(a, "Revoke", &revoke);
	who_is(by_device(DEVICE, secret));
}

SQL(rows_seen, "SELECT (SELECT count(*) FROM auth.tenant) * 10000"
	       " + (SELECT count(*) FROM auth.\"user\") * 1000"
	       " + (SELECT count(*) FROM auth.api_key) * 100"
	       " + (SELECT count(*) FROM auth.enrolment_key) * 10"
	       " + (SELECT count(*) FROM auth.device_secret) AS n");
SQL(steal, "UPDATE auth.\"user\" SET tenant_id = $1 WHERE name = 'ann'");
SQL(plant, "INSERT INTO auth.\"user\" (tenant_id, name, role, password)"
	   " VALUES ($1, 'eve', 'owner', '')");
SQL(wipe, "DELETE FROM auth.\"user\" WHERE tenant_id = $1 RETURNING 1 AS n");

/* One statement of the role lanyard_auth in a transaction of `tenant`, rolled back. */
static err_t as_service(const char *tenant, const struct db_statement *statement,
	const char *parameter, struct db_rows **rows)
{
	char url[640];
	struct db *db;
	struct call call;
	err_t err;

	snprintf(url, sizeof(url), "%s&user=lanyard_auth", fixture.url);
	db = db_create(url, "test");
	call_init(&call, NULL, "service:test", FIXTURE_PATIENCE_MS);
	call.tenant = tenant;
	cr_assert_eq(db_begin(db, &call), OK, "%s", call.fault.detail);
	err = db_query(&call, statement, rows, parameter ? 1 : 0, &parameter);
	db_rollback(db, &call);
	call_finish(&call);
	db_destroy(db);
	return err;
}

static long long number_as_service(
	const char *tenant, const struct db_statement *statement, const char *parameter)
{
	AUTO_ROWS rows = NULL;

	cr_assert_eq(as_service(tenant, statement, parameter, &rows), OK);
	return db_count(rows) > 0 ? db_int(rows, 0, "n") : 0;
}

Test(auth, the_database_itself_keeps_tenants_apart)
{
	const char *a = new_tenant("a")->id, *b = new_tenant("b")->id;

	new_user(a, "ann", "owner");
	for (int i = 0; i < 2; i++) {
		const char *tenant = i == 0 ? a : b;

		new_api_key(tenant, "k", "owner");
		new_enrolment_key(tenant, "e", 0);
	}
	new_user(b, "bob", "owner");
	new_device_secret(b, DEVICE);
	cr_assert_eq(number_as_service(a, &rows_seen, NULL), 11110);
	cr_assert_eq(number_as_service(b, &rows_seen, NULL), 11111);
	cr_assert_eq(number_as_service("", &rows_seen, NULL), 0);
	cr_assert_eq(number_as_service(NOBODY, &rows_seen, NULL), 0);
	cr_assert_eq(number_as_service(CALL_FLEET, &rows_seen, NULL), 33321);
	cr_assert_neq(as_service(a, &steal, b, NULL), OK);
	cr_assert_neq(as_service(a, &plant, b, NULL), OK);
	cr_assert_eq(number_as_service(a, &wipe, b), 0);
	cr_assert_eq(number_as_service(b, &wipe, b), 1);
}
