/*
 * auth for real when passwords are guessed: a stranger is slowed down, and the user is not locked
 * out by it.
 */
#include "tests/component/auth_fixture.h"

#include "proto/oauth.pb-c.h"

#define WRONG_MAX 10
#define HOME	  "192.0.2.1"
#define ELSEWHERE "198.51.100.7"
#define WRONG	  "wrong horse battery"

static const Auth__SignIn *try_at(const char *tenant, const char *user, const char *password,
	const char *address, const char *browser)
{
	Auth__SignInRequest request = AUTH__SIGN_IN_REQUEST__INIT;

	request.user = TEXT(user);
	request.password = TEXT(password);
	request.address = TEXT(address);
	request.browser = TEXT(browser);
	request.agent = "test";
	return ask_of(&auth__oauth__descriptor, "service:test", tenant, "CreateSignIn", &request);
}

static void is(const Auth__SignIn *reply, const char *error)
{
	cr_assert_str_eq(reply->error, error, "'%s', not '%s'", reply->error, error);
	cr_assert_eq(*reply->secret != '\0', *error == '\0');
	cr_assert_eq(reply->retry_after_s > 0, strcmp(error, "throttled") == 0);
}

static void exhaust(const char *tenant, const char *user, const char *address, int n)
{
	for (int i = 0; i < n; i++)
		is(try_at(tenant, user, WRONG, address, ""), "wrong");
	is(try_at(tenant, user, WRONG, address, ""), "throttled");
}

Test(auth, who_guesses_from_elsewhere_locks_nobody_out)
{
	const char *tenant = new_tenant("a")->id;
	const char *browser;

	new_user(tenant, "ann", "member");
	browser = try_at(tenant, "ann", PASSWORD, HOME, "")->browser;
	cr_assert_neq(*browser, '\0');
	exhaust(tenant, "ann", ELSEWHERE, WRONG_MAX);
	is(try_at(tenant, "ann", PASSWORD, ELSEWHERE, ""), "throttled");
	is(try_at(tenant, "ann", PASSWORD, HOME, ""), "");
	is(try_at(tenant, "ann", PASSWORD, ELSEWHERE, browser), "");
}

Test(auth, who_guesses_beside_the_user_leaves_the_browser_its_own_count)
{
	const char *tenant = new_tenant("a")->id;
	const Auth__SignIn *first;

	new_user(tenant, "ann", "member");
	new_user(tenant, "eve", "member");
	first = try_at(tenant, "ann", PASSWORD, HOME, "");
	exhaust(tenant, "ann", HOME, WRONG_MAX);
	is(try_at(tenant, "ann", PASSWORD, HOME,
		   try_at(tenant, "eve", PASSWORD, HOME, "")->browser),
		"throttled");
	is(try_at(tenant, "ann", PASSWORD, HOME, first->browser), "");
	is(try_at(new_tenant("b")->id, "ann", PASSWORD, HOME, first->browser), "wrong");
}

Test(auth, a_known_browser_has_an_end_of_its_patience_too)
{
	const char *tenant = new_tenant("a")->id;
	const char *browser;

	new_user(tenant, "ann", "member");
	browser = try_at(tenant, "ann", PASSWORD, HOME, "")->browser;
	for (int i = 0; i < WRONG_MAX; i++)
		is(try_at(tenant, "ann", WRONG, HOME, browser), "wrong");
	is(try_at(tenant, "ann", PASSWORD, HOME, browser), "throttled");
	is(try_at(tenant, "ann", PASSWORD, HOME, ""), "");
}

SQL(age_failures,
	"UPDATE auth.password_failure SET since = since - interval '15 minutes' RETURNING 1 AS n");

Test(auth, names_that_are_not_there_are_counted_the_same_and_counts_end)
{
	const char *tenant = new_tenant("a")->id;

	new_user(tenant, "ann", "member");
	exhaust(tenant, "nobody", ELSEWHERE, WRONG_MAX);
	exhaust(tenant, "ann", ELSEWHERE, WRONG_MAX);
	fixture_sql(&fixture, &age_failures);
	is(try_at(tenant, "ann", PASSWORD, ELSEWHERE, ""), "");
	is(try_at(tenant, "nobody", WRONG, ELSEWHERE, ""), "wrong");
}

static const Auth__Principal *by_rest(const char *user, const char *password, const char *address)
{
	Auth__Credential credential = by_password("a", user, password);

	credential.address = TEXT(address);
	return ask(CALL_FLEET, "Authenticate", &credential);
}

Test(auth, tokens_by_password_have_the_same_counts)
{
	const char *tenant = new_tenant("a")->id;
	const char *user = new_user(tenant, "ann", "member")->id;

	cr_assert_str_eq(by_rest("ann", PASSWORD, HOME)->subject + strlen("user:"), user);
	for (int i = 0; i < WRONG_MAX; i++) {
		cr_assert_str_eq(
			by_rest("ann", WRONG, ELSEWHERE)->error, "the credential is not valid");
		cr_assert_str_eq(
			by_rest("bob", WRONG, ELSEWHERE)->error, "the credential is not valid");
	}
	cr_assert_gt(by_rest("ann", PASSWORD, ELSEWHERE)->retry_after_s, 0);
	cr_assert_gt(by_rest("bob", PASSWORD, ELSEWHERE)->retry_after_s, 0);
	cr_assert_str_eq(by_rest("ann", PASSWORD, HOME)->error, "");
	is(try_at(tenant, "ann", PASSWORD, ELSEWHERE, ""), "throttled");
	is(try_at(tenant, "ann", PASSWORD, HOME, ""), "");
}
