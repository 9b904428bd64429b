/*
 * shell: see shell.h.
 */
#include "lib/shell.h"

#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define SETTINGS "LANYARD_"

extern char **environ;

/* The caller frees the list, not its texts. */
static char **environment_new(const char *const variables[])
{
	size_t n = 0, n_variables = 0;
	char **list;

	while (environ[n] != NULL)
		n++;
	while (variables[n_variables] != NULL)
		n_variables++;
	list = xcalloc(n + n_variables + 1, sizeof(*list));
	n = 0;
	for (char **variable = environ; *variable != NULL; variable++)
		if (strncmp(*variable, SETTINGS, strlen(SETTINGS)) != 0)
			list[n++] = *variable;
	for (size_t i = 0; i < n_variables; i++)
		list[n++] = (char *)variables[i];
	return list;
}

/* Services block all signals, and a blocked SIGTERM would be inherited. */
static void set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(attributes);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setpgroup(attributes, 0);
	posix_spawnattr_setflags(
		attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

static void set_actions(posix_spawn_file_actions_t *actions)
{
	posix_spawn_file_actions_init(actions);
	posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
}

err_t shell_start(
	pid_t *pid, const char *command, const char *const variables[], struct fault *fault)
{
	AUTO_FREE char **environment = environment_new(variables);
	char *const argv[] = { "sh", "-c", (char *)command, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error;

	set_attributes(&attributes);
	set_actions(&actions);
	error = posix_spawn(pid, "/bin/sh", &actions, &attributes, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (error != 0)
		return fault_set(fault, ERR_UNAVAILABLE, "exec", "can't run '%.100s': %s", command,
			strerror(error));
	return OK;
}

/* False: its time is over. */
static bool wait_end(pid_t pid, unsigned s)
{
	struct pollfd poll_fd = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	int found = poll(&poll_fd, 1, (int)(s * 1000));

	close(poll_fd.fd);
	return found == 1;
}

err_t shell_run(const char *command, const char *const variables[], unsigned s, struct fault *fault)
{
	bool ended;
	pid_t pid;
	err_t err;
	int status;

	if ((err = shell_start(&pid, command, variables, fault)) != OK)
		return err;
	ended = wait_end(pid, s);
	if (!ended)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!ended)
		return fault_set(fault, ERR_DEADLINE_EXCEEDED, "exec",
			"'%.100s' did not end within %u s; what stays has to be put into the "
			"background (&)",
			command, s);
	if (WIFSIGNALED(status))
		return fault_set(fault, ERR_ABORTED, "exec", "'%.100s' was ended by signal %s",
			command, sigabbrev_np(WTERMSIG(status)));
	if (WEXITSTATUS(status) != 0)
		return fault_set(fault, ERR_ABORTED, "exec", "'%.100s' ended with status %d",
			command, WEXITSTATUS(status));
	return OK;
}
