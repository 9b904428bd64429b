/* helper: see helper.h. */
#include "agents/expose/helper.h"

#include "agents/child.h"

#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_MS     (10 * 60000) /* also for those that wait for another run */
#define SETTINGS     "LANYARD_"
#define FD_VARIABLE  SETTINGS "ACME_FD"
#define BUNDLE	     "/etc/ssl/certs/ca-certificates.crt"
#define EXIT_NO_EXEC 127 /* as a shell has it */
#define EXIT_NO_CA   126
#define REQUEST_MAX  1024 /* NAME, NUL, VALUE */

extern char **environ;

struct helper {
	struct helper_options options;
	struct child *child;
	struct loop_watch out;	/* what it says */
	struct loop_watch hook; /* fd -1: there is none */
	char said[HELPER_SAID_MAX];
	size_t said_len;
};

/* ---- the child, before it becomes uacme ---- */

static void drop_settings(void)
{
	for (char **variable = environ; *variable != NULL;) {
		char name[128];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(*variable, "="), *variable);
		if (strncmp(name, SETTINGS, strlen(SETTINGS)) == 0 && unsetenv(name) == 0)
			variable = environ;
		else
			variable++;
	}
}

static void set_environment(const struct helper_options *options, int hook)
{
	char proxy[PROXY_TEXT_MAX], number[16];

	drop_settings();
	if (proxy_text(options->proxy, true, proxy))
		setenv("https_proxy", proxy, 1);
	snprintf(number, sizeof(number), "%d", hook);
	setenv(FD_VARIABLE, number, 1);
	if (options->ca != NULL)
		setenv("UACME_CAINFO", options->ca, 1); /* as of 1.7.6 */
}

/* uacme has no option for it, so its view of the file system has another bundle of certificates. */
static void trust(const char *ca)
{
	if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		mount(ca, BUNDLE, NULL, MS_BIND, NULL) == 0)
		return;
	fprintf(stderr, "uacme: can't put %s in the place of " BUNDLE ": %m\n", ca);
	_exit(EXIT_NO_CA);
}

/* One run an account, over all processes. The descriptor stays open in uacme. */
static void wait_for_turn(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	if (fd >= 0)
		while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
			continue;
}

__attribute__((noreturn)) static void run(const struct helper_options *options, int out, int hook)
{
	sigset_t none;
	int in = open("/dev/null", O_RDONLY);

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	fcntl(hook, F_SETFD, 0);
	set_environment(options, hook);
	wait_for_turn(options->dir);
	if (options->ca != NULL)
		trust(options->ca);
	execvp(options->argv[0], options->argv);
	fprintf(stderr, "uacme: can't run %s: %m\n", options->argv[0]);
	_exit(EXIT_NO_EXEC);
}

/* ---- the side of the loop ---- */

/* Keeps the end of what it says. */
static void listen_to(struct helper *helper)
{
	char text[4096];
	ssize_t n;

	while ((n = read(helper->out.fd, text, sizeof(text))) > 0) {
		size_t len = (size_t)n, size = HELPER_SAID_MAX - 1;

		if (len > size - helper->said_len) {
			size_t cut = len - (size - helper->said_len);

			memmove(helper->said, helper->said + cut, helper->said_len - cut);
			helper->said_len -= cut;
		}
		memcpy(helper->said + helper->said_len, text, len);
		helper->said_len += len;
	}
}

static void on_out(void *context, uint32_t events)
{
	struct helper *helper = context;

	listen_to(helper);
	if ((events & EPOLLHUP) != 0) {
		loop_remove(helper->options.loop, &helper->out);
		close(helper->out.fd);
		helper->out.fd = -1;
	}
}

static void on_end(void *context, int status)
{
	struct helper *helper = context;

	if (helper->out.fd >= 0)
		listen_to(helper);
	helper->said[helper->said_len] = '\0';
	helper->options.ended(helper->options.context, status, helper->said);
}

static void on_hook(void *context, uint32_t events)
{
	struct helper *helper = context;
	char request[REQUEST_MAX + 1];
	ssize_t n = recv(helper->hook.fd, request, REQUEST_MAX, MSG_DONTWAIT);
	const char *value;

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		loop_change(helper->options.loop, &helper->hook, 0);
		return;
	}
	request[n] = '\0';
	value = request + strlen(request) + 1;
	if (value > request + n || helper->options.challenged == NULL)
		helper_answer(helper, false);
	else
		helper->options.challenged(helper->options.context, request, value);
}

void helper_answer(struct helper *helper, bool is_there)
{
	/* A hook that went away is uacme's to notice. */
	(void)!send(helper->hook.fd, is_there ? "y" : "n", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

struct helper *helper_start(const struct helper_options *options)
{
	struct helper *helper = xcalloc(1, sizeof(*helper));
	int out[2], hook[2];
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0 ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, hook) < 0)
		BUG("no pipes: %m");
	pid = fork();
	if (pid == 0)
		run(options, out[1], hook[1]);
	if (pid < 0)
		BUG("fork: %m");
	setpgid(pid, pid);
	close(out[1]);
	close(hook[1]);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	helper->options = *options;
	helper->out = (struct loop_watch){ out[0], on_out, helper };
	helper->hook = (struct loop_watch){ hook[0], on_hook, helper };
	loop_add(options->loop, &helper->out, EPOLLIN);
	loop_add(options->loop, &helper->hook, EPOLLIN);
	helper->child = child_create(options->loop, pid, LIMIT_MS, on_end, helper);
	return helper;
}

static void stop_watching(struct helper *helper, struct loop_watch *watch)
{
	if (watch->fd < 0)
		return;
	loop_remove(helper->options.loop, watch);
	close(watch->fd);
}

void helper_destroy(struct helper *helper)
{
	if (helper == NULL)
		return;
	child_destroy(helper->child);
	stop_watching(helper, &helper->out);
	stop_watching(helper, &helper->hook);
	free(helper);
}

/* ---- the hook ---- */

err_t helper_link_hook(const char *dir, struct fault *fault)
{
	AUTO_FREE char *path = xasprintf("%s/" HELPER_HOOK_NAME, dir);
	AUTO_FREE char *aside = xasprintf("%s/" HELPER_HOOK_NAME ".%d", dir, getpid());
	char program[4096];
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (len < 0)
		return fault_set(fault, ERR_INTERNAL, "", "can't read /proc/self/exe: %m");
	program[len] = '\0';
	unlink(aside);
	if (symlink(program, aside) < 0 || rename(aside, path) < 0)
		return fault_set(fault, ERR_INTERNAL, "state", "can't link %.100s: %m", path);
	return OK;
}

/* METHOD TYPE NAME TOKEN VALUE: only a challenge of the DNS is taken, and only its begin is told;
 * uacme's own end is told by its exit. */
int acme_hook(int argc, char **argv)
{
	const char *fd = getenv(FD_VARIABLE);
	char request[REQUEST_MAX], answer = 'n';
	int len;

	if (argc != 6 || fd == NULL || strcmp(argv[2], "dns-01") != 0)
		return EXIT_FAILURE;
	if (strcmp(argv[1], "begin") != 0)
		return EXIT_SUCCESS;
	len = snprintf(request, sizeof(request), "%s%c%s", argv[3], '\0', argv[5]);
	if (len < 0 || (size_t)len >= sizeof(request) ||
		send(atoi(fd), request, (size_t)len, MSG_NOSIGNAL) != len ||
		recv(atoi(fd), &answer, 1, 0) != 1)
		return EXIT_FAILURE;
	return answer == 'y' ? EXIT_SUCCESS : EXIT_FAILURE;
}
