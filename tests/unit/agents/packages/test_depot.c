/* depot and journal: packages are whole or not there, and what is remembered survives. */
#include "agents/packages/depot.h"
#include "agents/packages/journal.h"
#include "agents/state.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/lanyard-depot-XXXXXX";

static void make_folder(void)
{
	cr_assert_not_null(mkdtemp(dir));
}

static void remove_all(void)
{
	AUTO_FREE char *command = xasprintf("rm -r %s", dir);

	cr_expect_eq(system(command), 0);
}

TestSuite(depot, .init = make_folder, .fini = remove_all);
TestSuite(journal, .init = make_folder, .fini = remove_all);

static const struct depot_file files[] = { { "client.conf", "client\n", 7 }, { "ta.key", "", 0 } };

static bool is_there(const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s", dir, name);

	return access(path, F_OK) == 0;
}

static char *read_current(void)
{
	AUTO_FREE char *path = xasprintf("%s/current/client.conf", dir);
	char *text = NULL;

	return state_read_file(path, 100, &text, NULL) == OK ? text : NULL;
}

Test(depot, the_current_package_changes_in_one_step_and_others_go)
{
	const struct depot_file other = { "client.conf", "other", 5 };
	AUTO_FREE char *first = NULL, *second = NULL;
	struct fault fault = { 0 };

	cr_assert_eq(depot_add(dir, 1, files, 2, &fault), OK, "%s", fault.detail);
	cr_assert_eq(depot_use(dir, 1, &fault), OK, "%s", fault.detail);
	first = read_current();
	cr_expect_str_eq(first, "client\n");
	cr_assert_eq(depot_add(dir, 2, &other, 1, &fault), OK, "%s", fault.detail);
	cr_assert_eq(depot_use(dir, 2, &fault), OK, "%s", fault.detail);
	second = read_current();
	cr_expect_str_eq(second, "other");
	depot_keep(dir, 2);
	cr_expect_not(is_there("1"));
	cr_expect(is_there("2/client.conf"));
	cr_assert_eq(depot_use(dir, 0, &fault), OK, "%s", fault.detail);
	cr_expect_not(is_there("current"));
	cr_expect_eq(depot_use(dir, 0, &fault), OK);
}

Test(depot, what_a_killed_process_left_is_no_package)
{
	AUTO_FREE char *half = xasprintf("%s/.new", dir), *link = xasprintf("%s/.link", dir);
	struct fault fault = { 0 };

	cr_assert_eq(mkdir(half, 0700), 0);
	cr_assert_eq(symlink("9", link), 0);
	cr_assert_eq(depot_add(dir, 1, files, 2, &fault), OK, "%s", fault.detail);
	cr_assert_eq(depot_use(dir, 1, &fault), OK, "%s", fault.detail);
	cr_expect_not(is_there(".new"));
	cr_expect(is_there("current/ta.key"));
	cr_assert_eq(depot_add(dir, 1, files, 2, &fault), OK, "in the place of itself");
}

Test(depot, a_folder_that_is_not_there_is_told)
{
	struct fault fault = { 0 };

	cr_expect_eq(depot_add("/nowhere", 1, files, 2, &fault), ERR_INTERNAL);
	cr_expect(strstr(fault.detail, "/nowhere") != NULL, "%s", fault.detail);
	cr_expect_eq(depot_use("/nowhere", 1, &fault), ERR_INTERNAL);
}

Test(journal, is_read_back)
{
	struct journal written = { .newest = 9,
		.digest = "abc",
		.phase = JOURNAL_TRYING,
		.package = 4,
		.good = 3,
		.attempts = 2,
		.outcome = JOURNAL_FAILED,
		.reason = "a \"reason\"",
		.roots = "roots" };
	struct journal got;
	struct fault fault = { 0 };

	cr_assert_eq(journal_load(&got, dir, &fault), OK);
	cr_expect_eq(got.newest, 0);
	cr_assert_eq(journal_save(&written, dir, &fault), OK, "%s", fault.detail);
	cr_assert_eq(journal_load(&got, dir, &fault), OK, "%s", fault.detail);
	cr_expect_eq(got.newest, 9);
	cr_expect_eq(got.phase, JOURNAL_TRYING);
	cr_expect_eq(got.package, 4);
	cr_expect_eq(got.good, 3);
	cr_expect_eq(got.attempts, 2);
	cr_expect_eq(got.outcome, JOURNAL_FAILED);
	cr_expect_str_eq(got.reason, written.reason);
	cr_expect_str_eq(got.roots, "roots");
	journal_finish(&got);
}

Test(journal, that_is_damaged_is_told)
{
	AUTO_FREE char *path = xasprintf("%s/journal.json", dir);
	struct journal got;
	struct fault fault = { 0 };
	FILE *file = fopen(path, "w");

	fputs("{\"phase\": \"asleep\"}", file);
	fclose(file);
	cr_expect_eq(journal_load(&got, dir, &fault), ERR_DATA_LOSS);
	cr_expect(strstr(fault.detail, "is damaged") != NULL, "%s", fault.detail);
}

Test(journal, takes_what_is_newer_only)
{
	static const struct {
		int64_t version;
		const char *digest;
		err_t want;
	} rows[] = {
		{ 8, "b", OK },
		{ 7, "a", ERR_ALREADY_EXISTS },
		{ 7, "b", ERR_FAILED_PRECONDITION },
		{ 6, "a", ERR_FAILED_PRECONDITION },
		{ 1, "b", ERR_FAILED_PRECONDITION },
	};
	const struct journal journal = { .newest = 7, .digest = "a" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct manifest manifest = { .version = rows[i].version };
		struct fault fault = { 0 };

		strcpy(manifest.digest, rows[i].digest);
		cr_expect_eq(
			journal_check(&journal, &manifest, &fault), rows[i].want, "row %zu", i);
	}
}
