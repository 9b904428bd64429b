/*
 * hosts: which row of the setting a request is for, and settings that are none.
 */
#include "dataplane/admit/hosts.h"
#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#define TENANT	"0199a000-0000-7000-8000-0000000000aa"
#define OTHER	"0199a000-0000-7000-8000-0000000000ab"
#define NETWORK "0199a000-0000-7000-8000-0000000000bb"

static struct hosts hosts;

static void parse(const char *list)
{
	struct fault fault;
	err_t err = hosts_parse(&hosts, list, &fault);

	cr_assert_eq(err, OK, "%s: %s", list, err == OK ? "" : fault.detail);
}

Test(hosts, are_found_by_name_the_most_exact_first)
{
	static const struct {
		const char *host, *asked, *found; /* NULL: none */
	} rows[] = {
		{ "a.example", NULL, "a.example" },
		{ "A.Example:9443", NULL, "a.example" },
		{ "a.example.", NULL, "a.example" },
		{ "b.a.example", NULL, "*.a.example" },
		{ "c.b.a.example", NULL, "*.a.example" },
		{ "x.example", NULL, "*.example" },
		{ "example", NULL, NULL },
		{ ".example", NULL, NULL },
		{ "aexample", NULL, NULL },
		{ "a.example.org", NULL, NULL },
		{ "", NULL, NULL },
		{ "192.0.2.1:443", NULL, NULL },
		{ "[::1]:443", NULL, NULL },
		{ NULL, NULL, NULL },
		{ NULL, "a.example", "a.example" }, /* HTTP/1.0 */
		{ "a.example:9443", "a.example", "a.example" },
		{ "a.example", "A.EXAMPLE", "a.example" },
		{ "a.example", "x.example", NULL },
		{ "b.a.example", "c.a.example", NULL },
		{ "a.example", "", NULL },
	};

	parse("*.example,a.example,*.a.example");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct virtual_host *host = NULL;
		const char *why = NULL;
		unsigned status = hosts_find(&hosts, rows[i].host, rows[i].asked, &host, &why);

		cr_expect_eq(status, rows[i].found ? 0 : 421, "row %zu: %u", i, status);
		if (rows[i].found && status == 0)
			cr_expect_str_eq(host->name, rows[i].found, "row %zu", i);
	}
}

Test(hosts, may_have_one_for_all_others)
{
	const struct virtual_host *host;
	const char *why;

	parse("a.example face=pair, * face=l2");
	cr_assert_eq(hosts_find(&hosts, "a.example", NULL, &host, &why), 0);
	cr_assert_eq(host->face, HOST_PAIR);
	cr_assert_eq(hosts_find(&hosts, "[::1]:443", NULL, &host, &why), 0);
	cr_assert_eq(host->face, HOST_L2);
	cr_assert_eq(hosts_find(&hosts, "192.0.2.1", NULL, &host, &why), 0);
	cr_assert_eq(hosts_find(&hosts, "b.example", "a.example", &host, &why), 421);
}

/* Without the setting nothing is looked at: a proxy before the node may ask by another name. */
Test(hosts, are_all_alike_when_none_is_set)
{
	const struct token_claims claims = { .tenant = TENANT };
	const struct virtual_host *host;
	const char *why;

	parse("");
	cr_assert_eq(hosts_find(&hosts, "one.example", "two.example", &host, &why), 0);
	cr_assert_eq(host->face, HOST_ANY);
	cr_assert(host_admits(host, &claims));
}

Test(hosts, admit_members_of_their_tenant_and_network)
{
	static const struct token_claims of_both = { .tenant = TENANT, .network = NETWORK };
	static const struct token_claims of_other = { .tenant = OTHER, .network = NETWORK };
	static const struct token_claims of_none = { .tenant = TENANT };
	static const struct {
		const char *row;
		const struct token_claims *claims;
		bool admitted;
	} rows[] = {
		{ "a", &of_both, true },
		{ "a tenant=" TENANT, &of_both, true },
		{ "a tenant=" TENANT, &of_other, false },
		{ "a network=" NETWORK, &of_both, true },
		{ "a network=" NETWORK, &of_none, false },
		{ "a  network=" NETWORK " tenant=" OTHER " face=l2", &of_both, false },
		{ "a face=pair tenant=" TENANT, &of_none, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		parse(rows[i].row);
		cr_expect_eq(host_admits(&hosts.rows[0], rows[i].claims), rows[i].admitted,
			"row %zu", i);
	}
}

Test(hosts, are_refused_with_the_settings_name)
{
	static const char *const lists[] = { ",", "a,", "A.example", "a..b", "-a", "a.example.",
		"*a.example", "a.*.example", "a.example:443", "a,b,a", "a face=l3",
		"a tenant=", "a tenant=x", "a network", "a =", "a a", "a network=" NETWORK "x",
		"a face=pair network=" NETWORK };
	struct fault fault;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		cr_expect_eq(hosts_parse(&hosts, lists[i], &fault), ERR_INVALID_ARGUMENT, "\"%s\"",
			lists[i]);
		cr_expect_str_eq(fault.field, "LANYARD_HOSTS");
	}
}

Test(hosts, are_as_many_as_there_is_room_for)
{
	char list[HOSTS_MAX * 5 + 8], *end = list;
	struct fault fault;

	for (int i = 0; i < HOSTS_MAX; i++)
		end += sprintf(end, "%sh%d", i ? "," : "", i);
	parse(list);
	cr_assert_eq(hosts.n, HOSTS_MAX);
	strcpy(end, ",h");
	cr_assert_eq(hosts_parse(&hosts, list, &fault), ERR_INVALID_ARGUMENT);
}

Test(hosts, bound_the_length_of_what_they_are_asked_for)
{
	char long_name[5000], most[254];
	const struct virtual_host *host;
	const char *why;

	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	memset(most, 'a', sizeof(most) - 1);
	most[sizeof(most) - 1] = '\0';
	parse("*");
	cr_assert_eq(hosts_find(&hosts, long_name, NULL, &host, &why), 421);
	cr_assert_eq(hosts_find(&hosts, most, NULL, &host, &why), 0);
}
