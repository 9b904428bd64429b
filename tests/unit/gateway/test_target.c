/* target: how path and query are split and decoded, and what is refused. */
#include "gateway/target.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

static struct call call;

static void open_call(void)
{
	call_init(&call, NULL, "", 1000);
}

static void close_call(void)
{
	call_finish(&call);
}

TestSuite(target, .init = open_call, .fini = close_call);

/* "[segment][segment]?name=value&" */
static char *show(const struct target *target)
{
	char *text = arena_strdup(call.arena, "");

	for (size_t i = 0; i < target->n_segments; i++)
		text = arena_printf(call.arena, "%s[%s]", text, target->segments[i]);
	for (size_t i = 0; i < target->query.n; i++)
		text = arena_printf(call.arena, "%s %s=%s", text, target->query.parameters[i].name,
			target->query.parameters[i].value);
	return text;
}

static const struct {
	const char *text, *want;
} accepted[] = {
	{ "/", "[]" },
	{ "/v1", "[v1]" },
	{ "/v1/", "[v1][]" },
	{ "//", "[][]" },
	{ "/v1/a%2Fb/c", "[v1][a/b][c]" },
	{ "/v1/a%20b+c", "[v1][a b+c]" },
	{ "/%C3%a9", "[\xc3\xa9]" },
	{ "/v1?", "[v1]" },
	{ "/v1?a=1", "[v1] a=1" },
	{ "/v1?a", "[v1] a=" },
	{ "/v1?&&a=1&&b=2&", "[v1] a=1 b=2" },
	{ "/v1?a=1=2", "[v1] a=1=2" },
	{ "/v1?a=x+y%2B%26%3d", "[v1] a=x y+&=" },
	{ "/v1?=", "[v1] =" },
	{ "/v1?a=/?", "[v1] a=/?" },
	{ "/1/2/3/4/5/6/7/8", "[1][2][3][4][5][6][7][8]" },
};

Test(target, accepted)
{
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		struct target target;

		cr_expect(
			eq(int, target_parse(&call, accepted[i].text, &target), OK), "row %zu", i);
		cr_expect(eq(str, show(&target), (char *)accepted[i].want));
	}
}

static const struct {
	const char *text;
	err_t want;
} refused[] = {
	{ "", ERR_INVALID_ARGUMENT },
	{ "*", ERR_INVALID_ARGUMENT },
	{ "?a=1", ERR_INVALID_ARGUMENT },
	{ "https://host/v1", ERR_INVALID_ARGUMENT },
	{ "/%", ERR_INVALID_ARGUMENT },
	{ "/%4", ERR_INVALID_ARGUMENT },
	{ "/%4g", ERR_INVALID_ARGUMENT },
	{ "/%00", ERR_INVALID_ARGUMENT },
	{ "/%ff", ERR_INVALID_ARGUMENT },
	{ "/%c0%af", ERR_INVALID_ARGUMENT },
	{ "/\xff", ERR_INVALID_ARGUMENT },
	{ "/v1?a=%", ERR_INVALID_ARGUMENT },
	{ "/v1?a=%00", ERR_INVALID_ARGUMENT },
	{ "/v1?%ed%a0%80=1", ERR_INVALID_ARGUMENT },
	{ "/v1?a=1&a=2", ERR_INVALID_ARGUMENT },
	{ "/v1?a=1&%61=2", ERR_INVALID_ARGUMENT },
	{ "/v1?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q", ERR_INVALID_ARGUMENT },
	{ "/1/2/3/4/5/6/7/8/9", ERR_NOT_FOUND },
};

Test(target, refused)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct target target;

		cr_expect(eq(int, target_parse(&call, refused[i].text, &target), refused[i].want),
			"row %zu", i);
		cr_expect(ne(str, call.fault.detail, ""));
	}
}
