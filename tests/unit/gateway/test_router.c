/* router: which row a method and path find, what the path's parameters are, and what 405 allows. */
#include "gateway/router.h"

#include "lib/call.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

/* clang-format off */
static const struct route first[] = {
	{ .method = "GET", .path = "/a", .rpc = "1" },
	{ .method = "POST", .path = "/a", .rpc = "2" },
	{ .method = "GET", .path = "/a/{tenant}", .rpc = "3" },
	{ .method = "GET", .path = "/a/{tenant}/b/{id}", .rpc = "4" },
	{ .method = NULL },
};
static const struct route second[] = {
	{ .method = "DELETE", .path = "/a", .rpc = "5" },
	{ .method = "GET", .path = "/.well-known/x.json", .rpc = "6" },
	{ .method = NULL },
};
/* clang-format on */

static const struct route *const tables[] = { first, second, NULL };

static const struct {
	const char *method, *target;
	err_t want;
	const char *rpc, *tenant, *id, *allow;
} rows[] = {
	{ "GET", "/a", OK, "1", NULL, NULL, "" },
	{ "POST", "/a?x=y", OK, "2", NULL, NULL, "" },
	{ "DELETE", "/a", OK, "5", NULL, NULL, "GET, POST" },
	{ "PUT", "/a", ERR_UNIMPLEMENTED, NULL, NULL, NULL, "GET, POST, DELETE" },
	{ "get", "/a", ERR_UNIMPLEMENTED, NULL, NULL, NULL, "GET, POST, DELETE" },
	{ "GET", "/a/t", OK, "3", "t", NULL, "" },
	{ "GET", "/a/%2f", OK, "3", "/", NULL, "" },
	{ "GET", "/a/{tenant}", OK, "3", "{tenant}", NULL, "" },
	{ "GET", "/a/t/b/i", OK, "4", "t", "i", "" },
	{ "GET", "/.well-known/x.json", OK, "6", NULL, NULL, "" },
	{ "POST", "/a/t/b/i", ERR_UNIMPLEMENTED, NULL, NULL, NULL, "GET" },
	{ "GET", "/", ERR_NOT_FOUND, NULL, NULL, NULL, "" },
	{ "GET", "/a/", ERR_NOT_FOUND, NULL, NULL, NULL, "" },
	{ "GET", "//a", ERR_NOT_FOUND, NULL, NULL, NULL, "" },
	{ "GET", "/A", ERR_NOT_FOUND, NULL, NULL, NULL, "" },
	{ "GET", "/a/t/b", ERR_NOT_FOUND, NULL, NULL, NULL, "" },
	{ "GET", "/a/t/c/i", ERR_NOT_FOUND, NULL, NULL, NULL, "" },
	{ "GET", "/a//b/i", ERR_NOT_FOUND, NULL, NULL, NULL, "" },
	{ "GET", "/a/t/b/i/", ERR_NOT_FOUND, NULL, NULL, NULL, "" },
	{ "GET", "/a/t/b/i/j", ERR_NOT_FOUND, NULL, NULL, NULL, "" },
	{ "GET", "/aa", ERR_NOT_FOUND, NULL, NULL, NULL, "" },
	{ "GET", "/%61", OK, "1", NULL, NULL, "" },
};

static void expect_text(size_t row, const char *text, const char *want)
{
	cr_expect(want == NULL ? text == NULL : text != NULL && strcmp(text, want) == 0,
		"row %zu: %s", row, text != NULL ? text : "NULL");
}

Test(router, rows)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct route_match match;
		struct target target;
		struct call call;

		call_init(&call, NULL, "", 1000);
		cr_assert(eq(int, target_parse(&call, rows[i].target, &target), OK));
		cr_expect(eq(int, router_match(tables, rows[i].method, &target, &match),
				  rows[i].want),
			"row %zu", i);
		expect_text(i, match.route != NULL ? match.route->rpc : NULL, rows[i].rpc);
		if (rows[i].want == OK) {
			expect_text(i, route_parameter(&match, "tenant"), rows[i].tenant);
			expect_text(i, route_parameter(&match, "id"), rows[i].id);
		} else {
			expect_text(i, match.allow, rows[i].allow);
		}
		call_finish(&call);
	}
}
