/* auth for real: the hosts at which people sign in, and their sign-ins. */
#include "tests/component/oauth_fixture.h"

/* ---- sites and sign-ins ---- */

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
