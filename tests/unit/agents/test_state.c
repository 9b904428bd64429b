/* state: what is written comes back, safely; what is damaged is told; when an idempotency key is
 * kept. */
#include "agents/state.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/lanyard-state-XXXXXX";
static char *dir;

static void make_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	dir = xasprintf("%s/a/b", folder);
}

static void remove_folder(void)
{
	AUTO_FREE char *command = xasprintf("rm -r %s", folder);

	cr_assert_eq(system(command), 0);
	free(dir);
}

TestSuite(state, .init = make_folder, .fini = remove_folder);

static const struct device device = {
	.url = "https://vpn.example",
	.tenant = "0199a000-0000-7000-8000-000000000001",
	.id = "0199a000-0000-7000-8000-000000000002",
	.name = "alpha",
	.secret = "lyd_secret",
	.ca_pem = "-----BEGIN CERTIFICATE-----\n",
};

static unsigned mode_of(const char *path)
{
	struct stat found;

	cr_assert_eq(stat(path, &found), 0);
	return found.st_mode & 07777;
}

Test(state, keeps_the_device)
{
	AUTO_FREE char *file = xasprintf("%s/device.json", dir);
	struct device back;
	struct fault fault;

	cr_assert(state_load(dir, &back, &fault) == ERR_NOT_FOUND);
	cr_expect_not_null(strstr(fault.detail, "lanyard enroll"));
	cr_assert(state_save(dir, &device, &fault) == OK, "%s", fault.detail);
	cr_assert(state_save(dir, &device, &fault) == OK, "over an older one");
	cr_expect_eq(mode_of(dir), 0700);
	cr_expect_eq(mode_of(file), 0600);
	cr_assert(state_load(dir, &back, &fault) == OK);
	cr_expect_str_eq(back.url, device.url);
	cr_expect_str_eq(back.id, device.id);
	cr_expect_str_eq(back.secret, device.secret);
	cr_expect_str_eq(back.ca_pem, device.ca_pem);
	device_finish(&back);
	cr_expect_str_eq(back.secret, "");
}

Test(state, tells_a_damaged_device)
{
	static const char *const rows[] = {
		"", "{", "[]", "{}", "{\"url\": \"x\"}", "{\"url\": 7}",
		"{\"url\":\"u\",\"tenant\":\"t\",\"device\":\"d\",\"name\":\"n\",\"secret\":\"\"}"
	};
	AUTO_FREE char *file = xasprintf("%s/device.json", dir);

	cr_assert(state_save(dir, &device, NULL) == OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		FILE *out = fopen(file, "w");
		struct device back;
		struct fault fault;

		fputs(rows[i], out);
		fclose(out);
		cr_expect(state_load(dir, &back, &fault) == ERR_DATA_LOSS, "%s", rows[i]);
		cr_expect_not_null(strstr(fault.detail, "damaged"), "%s", fault.detail);
	}
}

Test(state, keeps_the_idempotency_key_of_one_request)
{
	char first[REPLY_ID_SIZE], again[REPLY_ID_SIZE];
	static const char *const others[][3] = {
		{ "https://b", "alpha", "lye_1" },
		{ "https://a", "beta", "lye_1" },
		{ "https://a", "alpha", "lye_2" },
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		cr_assert(state_enrolling(dir, "https://a", "alpha", "lye_1", first, NULL) == OK);
		cr_assert(state_enrolling(dir, "https://a", "alpha", "lye_1", again, NULL) == OK);
		cr_expect_str_eq(first, again);
		cr_assert(state_enrolling(dir, others[i][0], others[i][1], others[i][2], again,
				  NULL) == OK);
		cr_expect_str_neq(first, again, "row %zu", i);
	}
	cr_assert(state_enrolling(dir, "https://a", "alpha", "lye_1", first, NULL) == OK);
	state_enrolled(dir);
	cr_assert(state_enrolling(dir, "https://a", "alpha", "lye_1", again, NULL) == OK);
	cr_expect_str_neq(first, again);
}

Test(state, reads_a_file_up_to_its_limit)
{
	AUTO_FREE char *file = xasprintf("%s/text", folder);
	FILE *out = fopen(file, "w");
	char *text = NULL;
	struct fault fault;

	fputs("12345", out);
	fclose(out);
	cr_assert(state_read_file(file, 5, &text, &fault) == OK);
	cr_expect_str_eq(text, "12345");
	free(text);
	cr_expect(state_read_file(file, 4, &text, &fault) == ERR_OUT_OF_RANGE);
	cr_expect(state_read_file(folder, 4, &text, &fault) == ERR_INTERNAL, "a folder");
}
