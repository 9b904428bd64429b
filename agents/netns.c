/* netns: see netns.h. */
#include "agents/netns.h"

#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "/run/netns"

static int open_namespace(const char *name)
{
	char path[PATH_MAX];

	if (strchr(name, '/') != NULL || name[0] == '.') {
		errno = EINVAL;
		return -1;
	}
	snprintf(path, sizeof(path), FOLDER "/%s", name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

err_t netns_enter(const char *name, int *home, struct fault *fault)
{
	int there;

	*home = -1;
	if (name == NULL)
		return OK;
	if ((there = open_namespace(name)) < 0)
		return fault_set(fault, ERR_NOT_FOUND, "netns",
			"can't open the network namespace %.100s: %m; ip netns list tells which "
			"there are",
			name);
	*home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (*home < 0 || setns(there, CLONE_NEWNET) < 0) {
		fault_set(fault, ERR_PERMISSION_DENIED, "netns",
			"can't enter the network namespace %.100s: %m; run as root", name);
		close(there);
		if (*home >= 0)
			close(*home);
		return ERR_PERMISSION_DENIED;
	}
	close(there);
	return OK;
}

void netns_leave(int home)
{
	if (home < 0)
		return;
	if (setns(home, CLONE_NEWNET) < 0)
		BUG("can't return from a network namespace: %m");
	close(home);
}
