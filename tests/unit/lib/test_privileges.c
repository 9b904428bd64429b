/*
 * privileges: who may be meant, and that nothing is left after the drop, in any thread.
 */
#include "lib/mem.h"
#include "lib/privileges.h"

#include <criterion/criterion.h>

#include <grp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

Test(privileges, finds_users_and_groups)
{
	const struct {
		const char *user, *group;
		const char *field; /* that is wrong; NULL: none is */
		uid_t uid;
		gid_t gid;
	} rows[] = {
		{ "", "", NULL, 0, 0 },
		{ "nobody", "", NULL, 65534, 65534 },
		{ "nobody", "daemon", NULL, 65534, 1 },
		{ "65534", "", NULL, 65534, 65534 },
		{ "4242", "4243", NULL, 4242, 4243 },
		{ "4242", "", "group", 0, 0 }, /* has no group of its own */
		{ "root", "", "user", 0, 0 },
		{ "0", "daemon", "user", 0, 0 },
		{ "nobody", "root", "group", 0, 0 },
		{ "nobody", "0", "group", 0, 0 },
		{ "no such user", "", "user", 0, 0 },
		{ "nobody", "no such group", "group", 0, 0 },
		{ "", "daemon", "user", 0, 0 },
		{ "12x", "", "user", 0, 0 },
		{ "-1", "", "user", 0, 0 },
		{ "4294967295", "", "user", 0, 0 },
		{ "99999999999999999999", "", "user", 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct privileges found;
		struct fault fault = { "", "" };
		err_t err = privileges_find(&found, rows[i].user, rows[i].group, &fault);

		cr_assert_eq(err, rows[i].field != NULL ? ERR_INVALID_ARGUMENT : OK, "row %zu: %s",
			i, fault.detail);
		if (rows[i].field != NULL) {
			cr_assert_str_eq(fault.field, rows[i].field, "row %zu", i);
			continue;
		}
		cr_assert_eq(found.user, rows[i].uid, "row %zu", i);
		cr_assert_eq(found.group, rows[i].gid, "row %zu", i);
	}
}

static pthread_barrier_t barrier;

static void *wait_and_look(void *arg)
{
	char path[64], line[256];
	bool *clean = arg;
	FILE *status;

	pthread_barrier_wait(&barrier);
	snprintf(path, sizeof(path), "/proc/self/task/%d/status", gettid());
	status = fopen(path, "r");
	*clean = true;
	while (fgets(line, sizeof(line), status)) {
		unsigned long long set;

		if ((sscanf(line, "CapPrm: %llx", &set) == 1 ||
			    sscanf(line, "CapEff: %llx", &set) == 1 ||
			    sscanf(line, "CapInh: %llx", &set) == 1) &&
			set != 0)
			*clean = false;
		if (strncmp(line, "Groups:", 7) == 0 &&
			strspn(line + 7, " \t\n") != strlen(line + 7))
			*clean = false;
	}
	fclose(status);
	*clean = *clean && getuid() == 65534 && getegid() == 1;
	return NULL;
}

Test(privileges, drops_all_in_every_thread)
{
	const gid_t groups[] = { 4, 27 };
	struct privileges nobody;
	struct fault fault;
	pthread_t thread;
	bool clean, own;

	if (getuid() != 0)
		cr_skip_test("takes root");
	cr_assert_eq(setgroups(2, groups), 0);
	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&thread, NULL, wait_and_look, &clean);
	cr_assert_eq(privileges_find(&nobody, "nobody", "daemon", &fault), OK);
	cr_assert_eq(privileges_drop(&nobody, &fault), OK);
	wait_and_look(&own);
	pthread_join(thread, NULL);
	cr_assert(clean);
	cr_assert(own);
	cr_assert_eq(privileges_drop(&(struct privileges){ .user = 1, .group = 1 }, &fault),
		ERR_PERMISSION_DENIED);
}

Test(privileges, keeps_the_network_where_it_is_asked_for)
{
	struct privileges nobody;
	struct fault fault;
	char line[256];
	FILE *status;
	int found = 0;

	if (getuid() != 0)
		cr_skip_test("takes root");
	cr_assert_eq(privileges_find(&nobody, "nobody", "", &fault), OK);
	nobody.network = true;
	cr_assert_eq(privileges_drop(&nobody, &fault), OK, "%s", fault.detail);
	status = fopen("/proc/thread-self/status", "r");
	while (fgets(line, sizeof(line), status)) {
		unsigned long long set;

		if (sscanf(line, "CapPrm: %llx", &set) == 1 ||
			sscanf(line, "CapEff: %llx", &set) == 1)
			found += set == 1ULL << 12; /* CAP_NET_ADMIN */
		if (sscanf(line, "CapInh: %llx", &set) == 1)
			found += set == 0;
	}
	fclose(status);
	cr_assert_eq(found, 3);
	cr_assert_eq(getuid(), 65534);
}
