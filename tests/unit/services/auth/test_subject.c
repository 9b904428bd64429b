/*
 * Checks of requests, and the names of subjects.
 */
#include "services/auth/request.h"
#include "services/auth/subject.h"

#include <criterion/criterion.h>

#include <string.h>

#define ID "0190a000-0000-7000-8000-0000000000ff"

static struct call call;

static void setup(void)
{
	call_init(&call, NULL, "service:test", 1000);
}

static void teardown(void)
{
	call_finish(&call);
}

TestSuite(request, .init = setup, .fini = teardown);

Test(request, subjects)
{
	static const struct {
		const char *text;
		err_t want;
		enum subject_kind kind;
	} rows[] = {
		{ "user:" ID, OK, SUBJECT_USER },
		{ "api_key:" ID, OK, SUBJECT_API_KEY },
		{ "device:" ID, OK, SUBJECT_DEVICE },
		{ "", ERR_INVALID_ARGUMENT, 0 },
		{ "user:", ERR_INVALID_ARGUMENT, 0 },
		{ ID, ERR_INVALID_ARGUMENT, 0 },
		{ "User:" ID, ERR_INVALID_ARGUMENT, 0 },
		{ "tenant:" ID, ERR_INVALID_ARGUMENT, 0 },
		{ "device:" ID " ", ERR_INVALID_ARGUMENT, 0 },
		{ "device:0190A000-0000-7000-8000-0000000000FF", ERR_INVALID_ARGUMENT, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct subject subject;

		cr_expect_eq(subject_read(&call, rows[i].text, &subject), rows[i].want, "%s",
			rows[i].text);
		if (rows[i].want != OK) {
			cr_expect_str_eq(call.fault.field, "subject");
			continue;
		}
		cr_expect_eq(subject.kind, rows[i].kind);
		cr_expect_str_eq(subject.id, ID);
	}
}

Test(request, versions)
{
	cr_expect_eq(request_check_version(&call, 0, 7), OK);
	cr_expect_eq(request_check_version(&call, 7, 7), OK);
	cr_expect_eq(request_check_version(&call, 6, 7), ERR_FAILED_PRECONDITION);
	cr_expect_str_eq(call.fault.field, "version");
	cr_expect_eq(request_check_version(&call, -1, 7), ERR_FAILED_PRECONDITION);
}

Test(request, lists)
{
	static const struct {
		const char *cursor, *name;
		err_t want;
	} rows[] = {
		{ "", "", OK },
		{ ID, "ann", OK },
		{ "7", "", ERR_INVALID_ARGUMENT },
		{ ID "0", "", ERR_INVALID_ARGUMENT },
		{ "", "a\tb", ERR_INVALID_ARGUMENT },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		Auth__ListRequest list = AUTH__LIST_REQUEST__INIT;

		list.cursor = (char *)(uintptr_t)rows[i].cursor;
		list.name = (char *)(uintptr_t)rows[i].name;
		cr_expect_eq(request_check_list(&call, &list), rows[i].want, "row %zu", i);
	}
}

Test(request, the_uniform_refusal_names_nothing)
{
	cr_expect_eq(request_unauthenticated(&call), ERR_UNAUTHENTICATED);
	cr_expect_str_eq(call.fault.field, "");
	cr_expect_str_eq(call.fault.detail, "the credential is not valid");
}
