/*
 * privileges: see privileges.h.
 */
#include "lib/privileges.h"

#include "lib/mem.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAMES_SIZE 16384 /* what getpwnam_r and getgrnam_r may need */

/* False: the text is no number that an id can be. */
static bool read_id(const char *text, id_t *id)
{
	unsigned long value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || value >= (id_t)-1)
		return false;
	*id = (id_t)value;
	return true;
}

static err_t find_user(struct privileges *privileges, const char *text, struct fault *fault)
{
	char names[NAMES_SIZE];
	struct passwd entry, *found = NULL;
	id_t id;

	getpwnam_r(text, &entry, names, sizeof(names), &found);
	if (!found && read_id(text, &id)) {
		getpwuid_r(id, &entry, names, sizeof(names), &found);
		if (!found) /* a number needs no name, but then it has no group either */
			entry = (struct passwd){ .pw_uid = id };
		found = &entry;
	}
	if (!found)
		return fault_set(
			fault, ERR_INVALID_ARGUMENT, "user", "there is no user %.40s", text);
	if (found->pw_uid == 0)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "user",
			"%.40s is root: expected a user without privileges", text);
	privileges->user = found->pw_uid;
	privileges->group = found->pw_gid;
	return OK;
}

static err_t find_group(struct privileges *privileges, const char *text, struct fault *fault)
{
	char names[NAMES_SIZE];
	struct group entry, *found = NULL;
	id_t id;

	getgrnam_r(text, &entry, names, sizeof(names), &found);
	if (!found && read_id(text, &id)) {
		entry = (struct group){ .gr_gid = id };
		found = &entry;
	}
	if (!found)
		return fault_set(
			fault, ERR_INVALID_ARGUMENT, "group", "there is no group %.40s", text);
	privileges->group = found->gr_gid;
	return OK;
}

err_t privileges_find(
	struct privileges *privileges, const char *user, const char *group, struct fault *fault)
{
	err_t err = OK;

	*privileges = (struct privileges){ 0 };
	if (*user != '\0')
		err = find_user(privileges, user, fault);
	else if (*group != '\0')
		err = fault_set(fault, ERR_INVALID_ARGUMENT, "user", "a group needs a user too");
	if (err == OK && *group != '\0')
		err = find_group(privileges, group, fault);
	if (err == OK && *user != '\0' && privileges->group == 0)
		err = fault_set(fault, ERR_INVALID_ARGUMENT, "group",
			"expected a group without privileges, not that of root");
	return err;
}

/* glibc has no function for the capabilities of a thread; the kernel's one is stable. */
static bool keep_network(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { { .effective = 1U << CAP_NET_ADMIN,
		.permitted = 1U << CAP_NET_ADMIN } };

	return syscall(SYS_capset, &header, sets) == 0;
}

/* glibc changes the ids of all threads. Leaving root empties the sets of capabilities, the
 * permitted one unless it is asked for. */
void privileges_hide(void)
{
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		BUG("PR_SET_DUMPABLE: %m");
}

err_t privileges_drop(const struct privileges *privileges, struct fault *fault)
{
	if (privileges->user == 0)
		return OK;
	if (prctl(PR_SET_KEEPCAPS, privileges->network) != 0 || setgroups(0, NULL) != 0 ||
		setresgid(privileges->group, privileges->group, privileges->group) != 0 ||
		setresuid(privileges->user, privileges->user, privileges->user) != 0 ||
		(privileges->network && !keep_network()))
		return fault_set(fault, ERR_PERMISSION_DENIED, "user",
			"can't become user %u, group %u: %s; it takes root", privileges->user,
			privileges->group, strerror(errno));
	if (setuid(0) == 0)
		return fault_set(fault, ERR_INTERNAL, "user", "root could be taken back");
	privileges_hide();
	return OK;
}
