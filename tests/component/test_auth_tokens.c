/*
 * auth for real: access tokens, revocations, and the keys that sign.
 */
#include "tests/component/auth_fixture.h"

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
	request.network_version = 8;
	request.ipv4 = "10.77.0.1";
	request.ipv6 = "fd00:7::1";
	request.bridge = request.dhcp_server = request.address_guard = request.no_multicast = true;
	request.storm_frames = 100;
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
	cr_assert_eq(claims.network_version, 8);
	cr_assert_str_eq(claims.ipv4, "10.77.0.1");
	cr_assert_str_eq(claims.ipv6, "fd00:7::1");
	cr_assert(
		claims.bridge && claims.dhcp_server && claims.address_guard && claims.no_multicast);
	cr_assert_not(claims.isolated || claims.router || claims.no_broadcast);
	cr_assert_eq(claims.storm_frames, 100);
	cr_assert_eq(claims.storm_bytes, 0);
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

Test(auth, who_was_suspended_keeps_its_secret)
{
	const Auth__Tenant *tenant = new_tenant("a");
	const char *secret = new_device_secret(tenant->id, DEVICE);
	Auth__SignTokenRequest sign = sign_request("device:" DEVICE);
	Auth__RevokeRequest revoke = AUTH__REVOKE_REQUEST__INIT;

	revoke.subject = "device:" DEVICE;
	revoke.suspend = true;
	ask(tenant->id, "Revoke", &revoke);
	cr_assert_eq(fixture_sql(&fixture, &count_revoked), 1);
	who_is(by_device(DEVICE, secret));
	ask(tenant->id, "SignToken", &sign);
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
