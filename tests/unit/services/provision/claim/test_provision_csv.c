/* What is read of a list of expected devices, and what is refused. */
#include "services/provision/claim/csv.h"

#include "services/provision/claim/code.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

TestSuite(provision_csv);

#define HEADER "serial,name,network,legacy,approve,code\n"
#define UUID   "01890000-0000-7000-8000-000000000001"

static struct call call;

static err_t read_list(const char *text, struct csv_list *list)
{
	call_init(&call, NULL, "service:test", 1000);
	return csv_list_read(&call, text, strlen(text), list);
}

Test(provision_csv, rows_in_order)
{
	struct csv_list list;

	cr_assert_eq(
		read_list(HEADER "WE-1,pump," UUID ",true,false,new\r\n\n\"WE-2\",,,,,", &list), OK,
		"%s", call.fault.detail);
	cr_assert_eq(list.n, 2);
	cr_expect_str_eq(list.rows[0].serial, "WE-1");
	cr_expect_str_eq(list.rows[0].name, "pump");
	cr_expect_str_eq(list.rows[0].network, UUID);
	cr_expect_str_eq(list.rows[0].code, "new");
	cr_expect(list.rows[0].legacy && !list.rows[0].approve && list.rows[0].row == 2);
	cr_expect_str_eq(list.rows[1].serial, "WE-2");
	cr_expect(!list.rows[1].legacy && list.rows[1].approve && list.rows[1].row == 3);
	cr_expect_null(list.rows[0].field);
	cr_expect_null(list.rows[1].field);
	call_finish(&call);
}

Test(provision_csv, columns_in_any_order)
{
	struct csv_list list;

	cr_assert_eq(read_list("name,serial\npump,WE-1\n", &list), OK);
	cr_expect_str_eq(list.rows[0].serial, "WE-1");
	cr_expect_str_eq(list.rows[0].name, "pump");
	call_finish(&call);
}

Test(provision_csv, a_row_that_is_wrong_says_in_which_column)
{
	static const struct {
		const char *row, *field;
	} rows[] = {
		{ "../etc,,,,,", "serial" },
		{ ",,,,,", "serial" },
		{ "WE-1,Pump,,,,", "name" },
		{ "WE-1,,net,,,", "network" },
		{ "WE-1,,,yes,,", "legacy" },
		{ "WE-1,,,,1,", "approve" },
		{ "WE-1,,,,,12345", "code" },
		{ "WE-1,,,,,0123-4567-89AB-CDEU", "code" },
		{ "WE-1", "row" },
		{ "WE-1,,,,,,", "row" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct csv_list list;
		char text[256];

		snprintf(text, sizeof(text), HEADER "%s\nWE-9,,,,,\n", rows[i].row);
		cr_assert_eq(read_list(text, &list), OK, "%s: %s", rows[i].row, call.fault.detail);
		cr_assert_eq(list.n, 2, "%s", rows[i].row);
		cr_assert_not_null(list.rows[0].field, "%s", rows[i].row);
		cr_expect_str_eq(list.rows[0].field, rows[i].field, "%s", rows[i].row);
		cr_expect_null(list.rows[1].field, "%s", rows[i].row);
		call_finish(&call);
	}
}

Test(provision_csv, what_is_no_list_is_refused)
{
	static const char *const texts[] = { "", "name\npump\n", "serial,serial\n",
		"serial,colour\n", "serial\n\"WE-1\n", "serial\nWE\"-1\n", "serial\n\xff\n" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct csv_list list;

		cr_expect_eq(read_list(texts[i], &list), ERR_INVALID_ARGUMENT, "%s", texts[i]);
		cr_expect_str_eq(call.fault.field, "csv");
		call_finish(&call);
	}
}

Test(provision_csv, more_rows_than_may_be)
{
	static char text[(CSV_ROWS_MAX + 2) * 4] = "serial\n";
	struct csv_list list;

	for (int i = 0; i < CSV_ROWS_MAX; i++)
		strcat(text + strlen("serial\n") + (size_t)i * 2, "A\n");
	cr_assert_eq(read_list(text, &list), OK, "%s", call.fault.detail);
	cr_assert_eq(list.n, CSV_ROWS_MAX);
	call_finish(&call);
	strcat(text, "A\n");
	cr_assert_eq(read_list(text, &list), ERR_INVALID_ARGUMENT);
	call_finish(&call);
}

Test(provision_csv, a_code_is_known_however_it_is_written)
{
	struct arena *arena;
	const char *code, *digest;

	call_init(&call, NULL, "service:test", 1000);
	arena = call.arena;
	code = claim_code_new(arena);
	digest = claim_code_digest(arena, "WE-1", code);
	cr_assert_not_null(digest);
	cr_expect_eq(strlen(code), 19);
	cr_expect_str_neq(digest, claim_code_digest(arena, "WE-2", code));
	cr_expect_str_neq(code, claim_code_new(arena));
	cr_expect_str_eq(claim_code_digest(arena, "A", "0123-4567-89AB-CDEF"),
		claim_code_digest(arena, "A", "o i23 4567 89ab-cdef"));
	cr_expect_null(claim_code_digest(arena, "A", "0123-4567-89AB-CDE"));
	cr_expect_null(claim_code_digest(arena, "A", "0123-4567-89AB-CDEF0"));
	cr_expect_null(claim_code_digest(arena, "A", ""));
	call_finish(&call);
}
