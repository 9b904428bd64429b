/* auth for real: groups of users. */
#include "tests/component/auth_fixture.h"

#include "proto/group.pb-c.h"

static const void *group(const char *tenant, const char *method, const void *request)
{
	return ask_of(&auth__groups__descriptor, "service:test", tenant, method, request);
}

static void group_refuses(
	const char *tenant, const char *method, const void *request, err_t want, const char *field)
{
	refuse_of(&auth__groups__descriptor, "service:test", tenant, method, request, want, field);
}

static const char *new_group(const char *tenant, const char *name)
{
	Auth__CreateGroupRequest request = AUTH__CREATE_GROUP_REQUEST__INIT;

	request.name = TEXT(name);
	return ((const Auth__Group *)group(tenant, "CreateGroup", &request))->id;
}

static Auth__ChangeGroupMembersRequest adding(const char *id, size_t n, char **users)
{
	Auth__ChangeGroupMembersRequest request = AUTH__CHANGE_GROUP_MEMBERS_REQUEST__INIT;

	request.id = TEXT(id);
	request.add = users;
	request.n_add = n;
	return request;
}

static size_t count_members(const char *tenant, const char *id)
{
	Auth__GroupMembersRequest request = AUTH__GROUP_MEMBERS_REQUEST__INIT;

	request.id = TEXT(id);
	return ((const Auth__UserList *)group(tenant, "ListGroupMembers", &request))->n_items;
}

static const Auth__User *user_of(const char *tenant, const char *id)
{
	Auth__Ref request = ref(id);

	return ask(tenant, "GetUser", &request);
}

Test(auth, a_user_is_told_with_the_names_of_its_groups)
{
	const char *tenant = new_tenant("a")->id;
	char *users[] = { new_user(tenant, "ann", "member")->id,
		new_user(tenant, "bob", "member")->id };
	const char *staff = new_group(tenant, "staff"), *lab = new_group(tenant, "lab");
	Auth__ChangeGroupMembersRequest both = adding(staff, 2, users);
	Auth__ChangeGroupMembersRequest one = adding(lab, 1, users);
	Auth__ChangeGroupMembersRequest out = AUTH__CHANGE_GROUP_MEMBERS_REQUEST__INIT;
	Auth__Ref id = ref(lab);

	cr_assert_eq(user_of(tenant, users[0])->n_groups, 0);
	group(tenant, "ChangeGroupMembers", &both);
	group(tenant, "ChangeGroupMembers", &both);
	group(tenant, "ChangeGroupMembers", &one);
	cr_assert_eq(count_members(tenant, staff), 2);
	cr_assert_eq(user_of(tenant, users[0])->n_groups, 2);
	cr_assert_str_eq(user_of(tenant, users[0])->groups[0], "lab");
	cr_assert_str_eq(user_of(tenant, users[0])->groups[1], "staff");
	out.id = TEXT(staff);
	out.remove = users;
	out.n_remove = 1;
	group(tenant, "ChangeGroupMembers", &out);
	cr_assert_eq(count_members(tenant, staff), 1);
	group(tenant, "DeleteGroup", &id);
	cr_assert_eq(user_of(tenant, users[0])->n_groups, 0);
	cr_assert_eq(user_of(tenant, users[1])->n_groups, 1);
}

Test(auth, a_group_is_of_one_tenant_and_so_are_its_members)
{
	const char *tenant = new_tenant("a")->id, *other = new_tenant("b")->id;
	char *users[] = { new_user(tenant, "ann", "member")->id,
		new_user(other, "eve", "member")->id };
	const char *staff = new_group(tenant, "staff");
	Auth__ChangeGroupMembersRequest change = adding(staff, 2, users);
	Auth__ChangeGroupMembersRequest foreign = adding(staff, 1, users);
	Auth__CreateGroupRequest again = AUTH__CREATE_GROUP_REQUEST__INIT;
	char *nobody[] = { "nobody" };
	Auth__ChangeGroupMembersRequest wrong = adding(staff, 1, nobody);

	again.name = "staff";
	group_refuses(tenant, "CreateGroup", &again, ERR_ALREADY_EXISTS, "name");
	group(other, "CreateGroup", &again);
	group_refuses(tenant, "ChangeGroupMembers", &wrong, ERR_INVALID_ARGUMENT, "add");
	group_refuses(tenant, "ChangeGroupMembers", &change, ERR_NOT_FOUND, "add");
	cr_assert_eq(count_members(tenant, staff), 0);
	group_refuses(other, "ChangeGroupMembers", &foreign, ERR_NOT_FOUND, "");
}
