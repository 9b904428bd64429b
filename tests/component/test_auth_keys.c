/*
 * auth for real: API keys, enrolment keys, and every way of saying who one is.
 */
#include "tests/component/auth_fixture.h"

#include <pthread.h>

#define REDEEMERS 20
#define LOGINS	  24

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
