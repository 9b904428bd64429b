/* authorizer_answer: what the services that judge tokens answer, and what it means. */
#include "dataplane/nymea/authorizer_answer.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#define TENANT	    "018f0000-0000-7000-8000-000000000001"
#define FAILED	    "AuthenticationErrorAuthenticationFailed"
#define PROXY_ERROR "AuthenticationErrorProxyError"

static void expect(const struct verdict *verdict, const char *error, const char *user, size_t row)
{
	if (error == NULL)
		cr_expect_null(verdict->error, "row %zu: %s", row, verdict->error);
	else
		cr_expect(verdict->error != NULL && strcmp(verdict->error, error) == 0, "row %zu",
			row);
	cr_expect_str_eq(verdict->user, user, "row %zu: %s", row, verdict->user);
}

Test(authorizer_answer, of_a_service_of_the_tenant)
{
	static const struct {
		long status;
		const char *body, *error, *user;
	} rows[] = {
		{ 200, "{\"allowed\":true}", NULL, "" },
		{ 200, "{\"allowed\":true,\"name\":\"carol@example.com\"}", NULL,
			"carol@example.com" },
		{ 200, "{\"allowed\":true,\"name\":\"a\\nb\"}", NULL, "a?b" },
		{ 200, "{\"allowed\":true,\"name\":7}", NULL, "" },
		{ 200, "{\"allowed\":true,\"tenant\":\"" TENANT "\"}", NULL, "" },
		{ 200, "{\"allowed\":true,\"tenant\":\"nobody\"}", PROXY_ERROR, "" },
		{ 200, "{\"allowed\":false}", FAILED, "" },
		{ 200, "{\"allowed\":\"true\"}", PROXY_ERROR, "" },
		{ 200, "{\"allowed\":1}", PROXY_ERROR, "" },
		{ 200, "{}", PROXY_ERROR, "" },
		{ 200, "[true]", PROXY_ERROR, "" },
		{ 200, "", PROXY_ERROR, "" },
		{ 204, "{\"allowed\":true}", PROXY_ERROR, "" },
		{ 302, "{\"allowed\":true}", PROXY_ERROR, "" },
		{ 401, "{\"allowed\":true}", FAILED, "" },
		{ 403, "", FAILED, "" },
		{ 404, "{\"allowed\":true}", PROXY_ERROR, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct verdict verdict = { .error = NULL };

		authorizer_answer_http(
			&verdict, rows[i].status, rows[i].body, strlen(rows[i].body));
		expect(&verdict, rows[i].error, rows[i].user, i);
	}
}

/* Half of a character would not be text any more, which the monitor tells. */
Test(authorizer_answer, a_long_name_is_cut_between_characters)
{
	struct verdict verdict = { .error = NULL };
	char body[512], want[sizeof(verdict.user)];
	int len = sprintf(body, "{\"allowed\":true,\"name\":\"x");

	strcpy(want, "x");
	for (int i = 0; i < 100; i++) {
		len += sprintf(body + len, "\xc3\xa9");
		if (strlen(want) + 2 < sizeof(want))
			strcat(want, "\xc3\xa9");
	}
	len += sprintf(body + len, "\"}");
	authorizer_answer_http(&verdict, 200, body, (size_t)len);
	expect(&verdict, NULL, want, 0);
}

Test(authorizer_answer, of_the_lambda_function)
{
	static const struct {
		const char *body, *error, *user;
	} rows[] = {
		{ "{\"isValid\":true}", NULL, "" },
		{ "{\"isValid\":true,\"verifiedData\":{\"verifiedParsedToken\":{\"email\":\"c@d."
		  "e\"}}}",
			NULL, "c@d.e" },
		{ "{\"isValid\":true,\"verifiedData\":[]}", NULL, "" },
		{ "{\"isValid\":false}", FAILED, "" },
		{ "{\"isValid\":\"true\"}", FAILED, "" },
		{ "{\"other\":1}", FAILED, "" },
		{ "{}", PROXY_ERROR, "" },
		{ "[]", PROXY_ERROR, "" },
		{ "no JSON", PROXY_ERROR, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct verdict verdict = { .error = NULL };

		authorizer_answer_aws(&verdict, rows[i].body, strlen(rows[i].body));
		expect(&verdict, rows[i].error, rows[i].user, i);
	}
}
