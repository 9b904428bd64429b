/*
 * credentials: what an Authorization header may look like.
 */
#include "dataplane/admit/credentials.h"
#include "lib/mem.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define DEVICE "018f0000-0000-7000-8000-0000000000aa"

static void basic_of(const char *text, size_t len, char header[600])
{
	strcpy(header, "Basic ");
	sodium_bin2base64(
		header + 6, 590, (const unsigned char *)text, len, sodium_base64_VARIANT_ORIGINAL);
}

Test(node_credentials, knows_the_schemes)
{
	const struct {
		const char *header;
		enum credentials_kind want;
	} rows[] = {
		{ "", CREDENTIALS_NONE },
		{ "Bearer abc", CREDENTIALS_BEARER },
		{ "bearer   abc", CREDENTIALS_BEARER },
		{ "Bearer", CREDENTIALS_BAD },
		{ "Bearer ", CREDENTIALS_BAD },
		{ "Bearerabc", CREDENTIALS_BAD },
		{ "Digest abc", CREDENTIALS_BAD },
		{ "Basic", CREDENTIALS_BAD },
		{ "Basic ====", CREDENTIALS_BAD },
		{ "Basic !!!!", CREDENTIALS_BAD },
	};
	struct credentials credentials;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		credentials_parse(rows[i].header, &credentials);
		cr_assert_eq(credentials.kind, rows[i].want, "%s", rows[i].header);
	}
	credentials_parse("Bearer  abc", &credentials);
	cr_assert_str_eq(credentials.token, "abc");
	cr_assert_eq(credentials.token_len, 3);
}

Test(node_credentials, refuses_a_token_that_is_too_long)
{
	static char header[TOKEN_MAX + 16] = "Bearer ";
	struct credentials credentials;

	memset(header + 7, 'a', TOKEN_MAX);
	credentials_parse(header, &credentials);
	cr_assert_eq(credentials.kind, CREDENTIALS_BEARER);
	header[7 + TOKEN_MAX] = 'a';
	credentials_parse(header, &credentials);
	cr_assert_eq(credentials.kind, CREDENTIALS_BAD);
}

Test(node_credentials, takes_basic_apart)
{
	char longest[200];
	const struct {
		const char *text;
		size_t len;
		const char *secret; /* NULL: refused */
	} rows[] = {
		{ DEVICE ":secret", 43, "secret" },
		{ DEVICE ":with:colon", 47, "with:colon" },
		{ "018F0000-0000-7000-8000-0000000000AA:x", 38, "x" },
		{ DEVICE ":", 37, NULL },
		{ DEVICE, 36, NULL },
		{ DEVICE ":a\0b", 40, NULL },
		{ "018f0000x0000-7000-8000-0000000000aa:x", 38, NULL },
		{ "018f0000-0000-7000-8000-0000000000ag:x", 38, NULL },
		{ "admin:secret", 12, NULL },
		{ ":secret", 7, NULL },
		{ "", 0, NULL },
		{ longest, 37 + CREDENTIALS_SECRET_MAX, longest + 37 },
		{ longest, 37 + CREDENTIALS_SECRET_MAX + 1, NULL },
	};
	struct credentials credentials;
	char header[600];

	memset(longest, 'x', sizeof(longest));
	memcpy(longest, DEVICE ":", 37);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool want = rows[i].secret != NULL;

		basic_of(rows[i].text, rows[i].len, header);
		credentials_parse(header, &credentials);
		cr_assert_eq(
			credentials.kind, want ? CREDENTIALS_BASIC : CREDENTIALS_BAD, "row %zu", i);
		if (!want)
			continue;
		cr_assert_str_eq(credentials.device, DEVICE);
		cr_assert_eq(
			strncmp(credentials.secret, rows[i].secret, CREDENTIALS_SECRET_MAX), 0);
	}
}
