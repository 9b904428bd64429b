/*
 * verifier: keys come and go, subjects and members are revoked.
 */
#include "dataplane/admit/verifier.h"
#include "lib/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define NOW    1700000000
#define DEVICE "018f0000-0000-7000-8000-0000000000aa"
#define MEMBER "018f0000-0000-7000-8000-0000000000bb"

static char *private_jwk;
static struct verifier *verifier;

static struct token_keys *new_keys(const char *kid, char **secret)
{
	char *public_jwk, *set;
	struct token_keys *keys;

	cr_assert_eq(token_key_generate(kid, secret, &public_jwk), OK);
	set = xasprintf("{\"keys\":[%s]}", public_jwk);
	cr_assert_eq(token_keys_create(&keys, set), OK);
	free(set);
	free(public_jwk);
	return keys;
}

static void setup(void)
{
	verifier = verifier_create("lanyard");
	verifier_set_keys(verifier, new_keys("one", &private_jwk));
}

static void teardown(void)
{
	verifier_destroy(verifier);
	free(private_jwk);
}

TestSuite(verifier, .init = setup, .fini = teardown);

static err_t check(int64_t issued_at, const char *issuer)
{
	struct token_claims claims = {
		.id = "018f0000-0000-7000-8000-0000000000cc",
		.tenant = "018f0000-0000-7000-8000-0000000000dd",
		.subject = "device:" DEVICE,
		.member = MEMBER,
		.role = "device",
		.issued_at = issued_at,
		.expires_at = issued_at + 600,
	};
	struct token_claims read;
	char *token;
	err_t err;

	cr_assert_eq(token_sign(private_jwk, issuer, &claims, &token), OK);
	err = verifier_check(verifier, token, strlen(token), NOW, &read);
	free(token);
	if (err == OK)
		cr_assert_str_eq(read.subject, claims.subject);
	return err;
}

Test(verifier, takes_good_tokens_and_no_others)
{
	cr_assert_eq(check(NOW, "lanyard"), OK);
	cr_assert_eq(check(NOW, "someone"), ERR_UNAUTHENTICATED);
	cr_assert_eq(check(NOW - 3600, "lanyard"), ERR_UNAUTHENTICATED);
}

Test(verifier, has_to_have_keys)
{
	struct token_claims claims;
	struct verifier *empty = verifier_create("lanyard");

	cr_assert_eq(verifier_check(empty, "x", 1, NOW, &claims), ERR_UNAVAILABLE);
	verifier_destroy(empty);
}

Test(verifier, tells_a_key_that_it_does_not_know)
{
	char *other;

	verifier_set_keys(verifier, new_keys("two", &other));
	cr_assert_eq(check(NOW, "lanyard"), ERR_NOT_FOUND);
	free(other);
}

Test(verifier, refuses_the_revoked_until_they_have_newer_tokens)
{
	verifier_revoke(verifier, "device:someone-else", NOW + 1, NOW);
	cr_assert_eq(check(NOW, "lanyard"), OK);
	verifier_revoke(verifier, "device:" DEVICE, NOW, NOW);
	cr_assert_eq(check(NOW - 1, "lanyard"), ERR_UNAUTHENTICATED);
	cr_assert_eq(check(NOW, "lanyard"), OK);
	verifier_revoke(verifier, "member:" MEMBER, NOW + 1, NOW);
	cr_assert_eq(check(NOW, "lanyard"), ERR_UNAUTHENTICATED);
}

Test(verifier, asks_the_table_of_roles_and_scopes)
{
	struct token_claims claims = { .role = "device" };

	cr_assert(verifier_allows(&claims, "network:attach"));
	cr_assert(verifier_allows(&claims, "pairs:claim"));
	cr_assert_not(verifier_allows(&claims, "users:write"));
	strcpy(claims.scopes[claims.n_scopes++], "pairs:claim");
	cr_assert_not(verifier_allows(&claims, "network:attach"));
	strcpy(claims.role, "member");
	cr_assert(verifier_allows(&claims, "pairs:claim"));
	strcpy(claims.role, "");
	cr_assert_not(verifier_allows(&claims, "pairs:claim"));
}
