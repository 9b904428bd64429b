/*
 * auth for real: the first start, tenants, and what keeps them apart.
 */
#include "tests/component/auth_fixture.h"

#include <sys/stat.h>

TestSuite(
	auth_start, .init = open_without_services, .fini = close_without_services, .timeout = 120);

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
