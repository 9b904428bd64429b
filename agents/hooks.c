/* hooks: see hooks.h. A request to the runner is one packet: the hook's number, then its variables
 * with their NULs; the answer is one packet too. */
#include "agents/hooks.h"

#include "agents/netns.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/shell.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUEST_MAX   4096
#define VARIABLES_MAX 16
#define PENDING_MAX   8

const char *hook_name(enum hook hook)
{
	static const char *const names[N_HOOKS] = {
		[HOOK_EXEC] = "exec",
		[HOOK_UP] = "up",
		[HOOK_RECONNECT] = "reconnect",
		[HOOK_DOWN] = "down",
	};

	return names[hook];
}

struct answer {
	err_t err;
	struct fault fault;
};

struct pending {
	enum hook hook;
	void (*done)(void *context, bool ok);
	void *context;
};

struct hooks {
	struct hooks_options options;
	struct loop *loop;
	struct loop_watch watch; /* the socket to the runner */
	pid_t runner;
	struct pending pending[PENDING_MAX]; /* in the order of the answers to come */
	size_t n_pending;
};

/* ---- the runner, in its own process ---- */

static void run(const struct hooks_options *options, char *request, size_t len, int fd)
{
	const char *variables[VARIABLES_MAX + 1] = { NULL };
	struct answer answer = { OK, { "", "" } };
	size_t n = 0;

	request[len] = '\0';
	for (char *at = request + 1; at < request + len && n < VARIABLES_MAX; at += strlen(at) + 1)
		variables[n++] = at;
	answer.err = shell_run(options->commands[(size_t)request[0] % N_HOOKS], variables,
		options->timeout_s, &answer.fault);
	(void)!send(fd, &answer, sizeof(answer), MSG_NOSIGNAL);
}

/* Until the other process is gone. A terminal's Ctrl-C is for that one. */
__attribute__((noreturn)) static void runner(const struct hooks_options *options, int fd)
{
	static char request[REQUEST_MAX + 1];
	ssize_t n;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	while ((n = recv(fd, request, REQUEST_MAX, 0)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			run(options, request, (size_t)n, fd);
	_exit(0);
}

/* ---- the side of the loop ---- */

static void finish_first(struct hooks *hooks, const struct answer *answer)
{
	struct pending first = hooks->pending[0];

	hooks->n_pending--;
	memmove(hooks->pending, hooks->pending + 1, hooks->n_pending * sizeof(first));
	if (answer->err != OK)
		log_warn("hook_failed", "hook=%s text=%s", hook_name(first.hook),
			log_value(answer->fault.detail));
	if (first.done != NULL)
		first.done(first.context, answer->err == OK);
}

static void on_answer(void *context, uint32_t events)
{
	struct hooks *hooks = context;
	struct answer answer;
	ssize_t n = recv(hooks->watch.fd, &answer, sizeof(answer), MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == sizeof(answer) && hooks->n_pending > 0) {
		answer.fault.detail[sizeof(answer.fault.detail) - 1] = '\0';
		finish_first(hooks, &answer);
		return;
	}
	loop_change(hooks->loop, &hooks->watch, 0);
	fault_set(&answer.fault, ERR_ABORTED, "", "the process that runs the hooks is gone");
	answer.err = ERR_ABORTED;
	while (hooks->n_pending > 0)
		finish_first(hooks, &answer);
}

static bool has_command(const struct hooks_options *options)
{
	for (size_t i = 0; i < N_HOOKS; i++)
		if (options->commands[i] != NULL)
			return true;
	return false;
}

err_t hooks_create(struct hooks **out, const struct hooks_options *options, struct fault *fault)
{
	struct hooks *hooks;
	int pair[2], home;
	pid_t runner_pid;
	err_t err;

	*out = NULL;
	if (!has_command(options))
		return OK;
	if ((err = netns_enter(options->netns, &home, fault)) != OK)
		return err;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		BUG("socketpair: %m");
	runner_pid = fork();
	if (runner_pid == 0) {
		close(pair[0]);
		runner(options, pair[1]);
	}
	close(pair[1]);
	netns_leave(home);
	if (runner_pid < 0)
		BUG("fork: %m");
	hooks = xcalloc(1, sizeof(*hooks));
	hooks->options = *options;
	hooks->runner = runner_pid;
	hooks->watch = (struct loop_watch){ pair[0], on_answer, hooks };
	*out = hooks;
	return OK;
}

void hooks_destroy(struct hooks *hooks)
{
	if (hooks == NULL)
		return;
	if (hooks->loop != NULL)
		loop_remove(hooks->loop, &hooks->watch);
	close(hooks->watch.fd);
	while (waitpid(hooks->runner, NULL, 0) < 0 && errno == EINTR)
		continue;
	free(hooks);
}

void hooks_listen(struct hooks *hooks, struct loop *loop)
{
	hooks->loop = loop;
	loop_add(loop, &hooks->watch, EPOLLIN);
}

bool hooks_has(const struct hooks *hooks, enum hook hook)
{
	return hooks != NULL && hooks->options.commands[hook] != NULL;
}

void hooks_run(struct hooks *hooks, enum hook hook, const char *const variables[],
	void (*done)(void *context, bool ok), void *context)
{
	char request[REQUEST_MAX] = { (char)hook };
	size_t len = 1;

	/* The runner is far behind, but what somebody waits for has to come. */
	if (done == NULL && hooks->n_pending >= PENDING_MAX / 2) {
		log_warn(
			"hook_skipped", "hook=%s: those before it have not ended", hook_name(hook));
		return;
	}
	if (hooks->n_pending == PENDING_MAX)
		BUG("more than %d hooks", PENDING_MAX);
	for (size_t i = 0; variables[i] != NULL; i++) {
		size_t size = strlen(variables[i]) + 1;

		if (size > sizeof(request) - len)
			BUG("variables over %d bytes", REQUEST_MAX);
		memcpy(request + len, variables[i], size);
		len += size;
	}
	hooks->pending[hooks->n_pending++] = (struct pending){ hook, done, context };
	/* The runner being gone shows at the socket. */
	(void)!send(hooks->watch.fd, request, len, MSG_NOSIGNAL);
}
