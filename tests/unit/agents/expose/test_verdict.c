/* verdict: what uacme 1.7.4 really said, and what is made of it. */
#include "agents/expose/verdict.h"

#include "lib/mem.h"

#include <criterion/criterion.h>
#include <string.h>

#define EXITED(status) ((status) << 8)
#define KILLED	       9

static const char invalid[] =
	"uacme: challenge https://ca.example/chalZ/2f5l failed with status invalid\n"
	"uacme: the server reported the following error:\n"
	"{\n"
	"    \"type\": \"urn:ietf:params:acme:error:unauthorized\",\n"
	"    \"detail\": \"Error retrieving TXT records for DNS challenge\",\n"
	"    \"status\": 403\n"
	"}\n"
	"uacme: failed to authorize order at https://ca.example/my-order/d2EI\n";

static const char limited[] = "uacme: failed to create new order at https://ca.example/order-plz\n"
			      "uacme: the server reported the following error:\n"
			      "{\n"
			      "    \"type\": \"urn:ietf:params:acme:error:rateLimited\",\n"
			      "    \"detail\": \"too many certificates already issued\",\n"
			      "    \"status\": 429\n"
			      "}\n";

static const char unreachable[] =
	"uacme: curl_get: GET https://ca.example/dir failed: Couldn't connect to server\n"
	"uacme: curl_get: waiting 5 seconds before retrying\n"
	"uacme: acme_get: curl_get failed\n"
	"uacme: failed to fetch directory at https://ca.example/dir\n";

static const char untrusted[] =
	"uacme: curl_get: GET https://ca.example/dir failed: SSL peer certificate or SSH remote "
	"key was not OK\n"
	"uacme: failed to fetch directory at https://ca.example/dir\n";

static const char declined[] = "uacme: challenge dns-01 declined\n"
			       "uacme: no challenge completed\n";

Test(verdict, names_the_step_that_failed)
{
	static const struct {
		struct verdict_of of;
		const char *reason, *text;
	} rows[] = {
		{ { EXITED(2), invalid, NULL, false }, "dns",
			"the authority did not find the challenge: Error retrieving TXT records "
			"for DNS challenge" },
		{ { EXITED(2), limited, NULL, false }, "ca",
			"the authority refuses: too many certificates already issued" },
		{ { EXITED(2), unreachable, NULL, false }, "ca",
			"can't reach the authority: Couldn't connect to server" },
		{ { EXITED(2), untrusted, NULL, false }, "ca",
			"the authority's own certificate is not trusted" },
		{ { EXITED(2), untrusted, NULL, true }, "clock", "this machine's clock is behind" },
		{ { EXITED(2), declined, "the portal answered HTTP status 503", false }, "api",
			"the portal did not take the challenge: the portal answered HTTP status "
			"503" },
		{ { EXITED(127), "uacme: can't run uacme: No such file or directory\n", NULL,
			  false },
			"helper", "uacme is needed: install the package" },
		{ { KILLED, "uacme: loading key\n", NULL, false }, "helper",
			"uacme did not end by itself: loading key" },
		{ { EXITED(2), "", NULL, false }, "helper", "uacme failed" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct verdict verdict;

		verdict_read(&verdict, &rows[i].of);
		cr_expect_str_eq(verdict.reason, rows[i].reason, "row %zu: %s", i, verdict.reason);
		cr_expect(strncmp(verdict.text, rows[i].text, strlen(rows[i].text)) == 0,
			"row %zu: %s", i, verdict.text);
	}
}

Test(verdict, a_long_text_is_cut)
{
	char said[5000] = "uacme: ";
	struct verdict verdict;

	memset(said + 7, 'x', sizeof(said) - 8);
	said[sizeof(said) - 1] = '\0';
	verdict_read(&verdict, &(struct verdict_of){ EXITED(2), said, said, false });
	cr_expect_eq(strlen(verdict.text), VERDICT_TEXT_MAX - 1);
}

Test(verdict, the_account_is_the_last_one_that_was_named)
{
	static const struct {
		const char *said, *url;
	} rows[] = {
		{ "uacme: account created at https://ca.example/my-account/8aa8\n",
			"https://ca.example/my-account/8aa8" },
		{ "uacme: Account already exists at https://ca.example/my-account/8aa8\r\n",
			"https://ca.example/my-account/8aa8" },
		{ "uacme: account location: https://ca.example/1\n", "https://ca.example/1" },
		{ "uacme: account created at nowhere\n", NULL },
		{ "uacme: account location: https://ca.example/much-too-long-for-the-space\n",
			NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char url[40];
		bool found = verdict_account(rows[i].said, url, sizeof(url));

		cr_expect_eq(found, rows[i].url != NULL, "row %zu", i);
		if (found)
			cr_expect_str_eq(url, rows[i].url);
	}
}

Test(verdict, an_account_that_the_authority_forgot)
{
	cr_expect(verdict_no_account("uacme: no account associated with d/private/key.pem found "
				     "at https://ca.example/. Consider trying 'new'\n"));
	cr_expect_not(verdict_no_account(invalid));
}
