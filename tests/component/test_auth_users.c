/*
 * auth for real: users, what each may do to others, and how their tokens end.
 */
#include "tests/component/auth_fixture.h"

#include "proto/provider.pb-c.h"

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
	changed.id = new_user(tenant, "bob.the.builder", "member")->id;
	changed.set_password_case = AUTH__UPDATE_USER_REQUEST__SET_PASSWORD_PASSWORD;
	changed.password = "Bob.The.Builder";
	refuse(tenant, "UpdateUser", &changed, ERR_INVALID_ARGUMENT, "password");
	id = new_user(tenant, "bob", "admin")->id;
	demoted = set_role(id, "member");
	ask(tenant, "UpdateUser", &demoted);
	cr_assert_eq(fixture_sql(&fixture, &count_revoked), 1);
	changed.id = TEXT(id);
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

static Auth__UpdateUserRequest set_password(const char *id)
{
	Auth__UpdateUserRequest request = AUTH__UPDATE_USER_REQUEST__INIT;

	request.id = TEXT(id);
	request.set_password_case = AUTH__UPDATE_USER_REQUEST__SET_PASSWORD_PASSWORD;
	request.password = "mine, all mine now";
	return request;
}

struct staff {
	const char *tenant;
	const char *ann, *adam;	   /* an owner and an admin of it: their ids */
	const char *owner, *admin; /* and they as actors */
};

static struct staff new_staff(void)
{
	struct staff staff = { .tenant = new_tenant("a")->id };
	struct arena *arena = calls.list[0].arena;

	staff.ann = new_user(staff.tenant, "ann", "owner")->id;
	staff.adam = new_user(staff.tenant, "adam", "admin")->id;
	staff.owner = arena_printf(arena, "user:%s", staff.ann);
	staff.admin = arena_printf(arena, "user:%s", staff.adam);
	return staff;
}

Test(auth, only_an_owner_changes_owners)
{
	struct staff staff = new_staff();
	const char *tenant = staff.tenant, *owner = staff.owner, *admin = staff.admin;
	Auth__CreateUserRequest create = user_request("olga", "owner");
	Auth__CreateApiKeyRequest key = api_key_request("k", "owner");
	Auth__UpdateUserRequest takeover = set_password(staff.ann);
	Auth__UpdateUserRequest rise = set_role(staff.adam, "owner");
	Auth__Ref deleted = ref(staff.ann), owners_key;

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

Test(auth, a_password_is_set_by_its_user_or_by_who_may_more)
{
	struct staff staff = new_staff();
	const char *tenant = staff.tenant, *owner = staff.owner, *admin = staff.admin;
	Auth__CreateApiKeyRequest create = api_key_request("k", "admin");
	const char *key = arena_printf(calls.list[0].arena, "api_key:%s",
		((const Auth__ApiKey *)ask(tenant, "CreateApiKey", &create))->id);
	Auth__UpdateUserRequest equal = set_password(new_user(tenant, "eve", "admin")->id);
	Auth__UpdateUserRequest less = set_password(new_user(tenant, "bob", "operator")->id);
	Auth__UpdateUserRequest own = set_password(staff.adam);

	refuse_as(admin, tenant, "UpdateUser", &equal, ERR_PERMISSION_DENIED, "password");
	refuse_as(key, tenant, "UpdateUser", &equal, ERR_PERMISSION_DENIED, "password");
	ask_as(admin, tenant, "UpdateUser", &less);
	ask_as(key, tenant, "UpdateUser", &less);
	ask_as(admin, tenant, "UpdateUser", &own);
	ask_as(owner, tenant, "UpdateUser", &equal);
	equal = set_role(equal.id, "auditor");
	ask_as(admin, tenant, "UpdateUser", &equal);
}

Test(auth, only_an_owner_takes_away_a_provider_that_makes_owners)
{
	const char *tenant = new_tenant("a")->id;
	const ProtobufCServiceDescriptor *service = &auth__identity_providers__descriptor;
	struct arena *arena = calls.list[0].arena;
	const char *owner = arena_printf(arena, "user:%s", new_user(tenant, "ann", "owner")->id);
	const char *admin = arena_printf(arena, "user:%s", new_user(tenant, "adam", "admin")->id);
	Auth__CreateIdentityProviderRequest create = AUTH__CREATE_IDENTITY_PROVIDER_REQUEST__INIT;
	Auth__GroupRole group = AUTH__GROUP_ROLE__INIT, *groups[] = { &group };
	Auth__Ref id;

	create.name = "Company";
	create.issuer = "https://login.example.org";
	create.client_id = "lanyard";
	create.group_claim = "groups";
	create.roles = groups;
	create.n_roles = 1;
	group.group = "chiefs";
	group.role = "owner";
	refuse_of(service, admin, tenant, "CreateIdentityProvider", &create, ERR_PERMISSION_DENIED,
		"role");
	id = ref(((const Auth__IdentityProvider *)ask_of(
			  service, owner, tenant, "CreateIdentityProvider", &create))
			 ->id);
	refuse_of(service, admin, tenant, "DeleteIdentityProvider", &id, ERR_PERMISSION_DENIED,
		"role");
	ask_of(service, owner, tenant, "DeleteIdentityProvider", &id);
	group.role = "admin";
	id = ref(((const Auth__IdentityProvider *)ask_of(
			  service, admin, tenant, "CreateIdentityProvider", &create))
			 ->id);
	ask_of(service, admin, tenant, "DeleteIdentityProvider", &id);
}

Test(auth, who_has_some_scopes_touches_nobody_who_has_others)
{
	const char *tenant = new_tenant("a")->id;
	struct arena *arena = calls.list[0].arena;
	Auth__CreateApiKeyRequest key = api_key_request("k", "admin");
	char *scopes[] = { "users:write", "networks:read", "names:read", "pairs:claim", "config" };
	const char *adam = new_user(tenant, "adam", "admin")->id, *few, *more;
	Auth__UpdateUserRequest takeover = set_password(adam);
	Auth__CreateUserRequest create = user_request("eve", "admin");
	Auth__Ref deleted = ref(adam);

	key.scopes = scopes;
	key.n_scopes = 1;
	few = arena_printf(
		arena, "api_key:%s", ((const Auth__ApiKey *)ask(tenant, "CreateApiKey", &key))->id);
	key.name = "more";
	key.n_scopes = ARRAY_LEN(scopes);
	more = arena_printf(
		arena, "api_key:%s", ((const Auth__ApiKey *)ask(tenant, "CreateApiKey", &key))->id);
	refuse_as(more, tenant, "UpdateUser", &takeover, ERR_PERMISSION_DENIED, "role");
	refuse_as(more, tenant, "CreateUser", &create, ERR_PERMISSION_DENIED, "role");
	refuse_as(more, tenant, "DeleteUser", &deleted, ERR_PERMISSION_DENIED, "role");
	create.role = "member";
	refuse_as(few, tenant, "CreateUser", &create, ERR_PERMISSION_DENIED, "role");
	ask_as(more, tenant, "CreateUser", &create);
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
