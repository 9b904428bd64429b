/* process: see process.h. */
#include "agents/openvpn/process.h"

#include "agents/child.h"
#include "agents/netns.h"
#include "agents/openvpn/config.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/shell.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define COMMAND	  "exec openvpn --cd \"$VPN_DIR\" --config " CONFIG_FILE
#define TURN_READ 65536 /* bytes of one turn of the loop */

struct vpn_process {
	struct vpn_process_options options;
	pid_t pid;
	struct child *child;
	struct loop_watch listener;   /* fd -1: it has come */
	struct loop_watch connection; /* fd -1: there is none */
	struct management management;
	char *out; /* what the socket did not take yet */
	size_t out_len;
};

static void unwatch(struct vpn_process *process, struct loop_watch *watch)
{
	if (watch->fd < 0)
		return;
	loop_remove(process->options.loop, watch);
	close(watch->fd);
	watch->fd = -1;
}

/* ---- what we say ---- */

static void flush(struct vpn_process *process)
{
	ssize_t n = send(process->connection.fd, process->out, process->out_len,
		MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0) {
		process->out_len -= (size_t)n;
		memmove(process->out, process->out + n, process->out_len);
	}
	loop_change(process->options.loop, &process->connection,
		process->out_len > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void vpn_process_say(struct vpn_process *process, const char *format, ...)
{
	char *text;
	va_list arguments;
	int len;

	if (process->connection.fd < 0)
		return;
	va_start(arguments, format);
	len = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (len < 0)
		BUG("no memory for a command");
	process->out = xrealloc(process->out, process->out_len + (size_t)len);
	memcpy(process->out + process->out_len, text, (size_t)len);
	process->out_len += (size_t)len;
	free(text);
	flush(process);
}

/* ---- what it says ---- */

/* Its end is seen by its exit. */
static void on_connection(void *context, uint32_t events)
{
	struct vpn_process *process = context;
	char bytes[4096];
	ssize_t n = 1;

	if ((events & EPOLLOUT) != 0)
		flush(process);
	for (size_t all = 0; all < TURN_READ; all += (size_t)n) {
		n = recv(process->connection.fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n <= 0)
			break;
		management_take(&process->management, bytes, (size_t)n, process->options.happened,
			process->options.context);
	}
	explicit_bzero(bytes, sizeof(bytes));
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		unwatch(process, &process->connection);
}

static void on_listener(void *context, uint32_t events)
{
	struct vpn_process *process = context;
	int fd = accept4(process->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	unwatch(process, &process->listener);
	process->connection = (struct loop_watch){ fd, on_connection, process };
	loop_add(process->options.loop, &process->connection, EPOLLIN);
	vpn_process_say(process, "state on\nbytecount 15\nhold release\n");
}

static void on_end(void *context, int status)
{
	struct vpn_process *process = context;

	if (process->connection.fd >= 0)
		on_connection(process, EPOLLIN);
	process->options.ended(process->options.context, status);
}

/* ---- its beginning and its end ---- */

static err_t listen_there(struct vpn_process *process, struct fault *fault)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_FREE char *path = xasprintf("%s/" CONFIG_SOCKET, process->options.dir);
	mode_t mask;
	int bound;

	if (strlen(path) >= sizeof(address.sun_path))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "state",
			"the path %.120s is too long for a socket: use a shorter --state", path);
	strcpy(address.sun_path, path);
	unlink(path);
	process->listener =
		(struct loop_watch){ socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
			on_listener, process };
	mask = umask(0177);
	bound = bind(process->listener.fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (bound < 0 || listen(process->listener.fd, 1) < 0) {
		fault_set(fault, ERR_INTERNAL, "state", "can't listen on %.150s: %m", path);
		close(process->listener.fd);
		process->listener.fd = -1;
		return ERR_INTERNAL;
	}
	loop_add(process->options.loop, &process->listener, EPOLLIN);
	return OK;
}

static err_t run(struct vpn_process *process, struct fault *fault)
{
	AUTO_FREE char *dir = xasprintf("VPN_DIR=%s", process->options.dir);
	const char *const variables[] = { dir, NULL };
	int home;
	err_t err = netns_enter(process->options.netns, &home, fault);

	if (err != OK)
		return err;
	err = shell_start(&process->pid, COMMAND, variables, fault);
	netns_leave(home);
	if (err == OK)
		process->child = child_create(
			process->options.loop, process->pid, CHILD_NO_LIMIT, on_end, process);
	return err;
}

err_t vpn_process_start(
	struct vpn_process **out, const struct vpn_process_options *options, struct fault *fault)
{
	struct vpn_process *process = xcalloc(1, sizeof(*process));
	err_t err;

	process->options = *options;
	process->listener.fd = process->connection.fd = -1;
	management_init(&process->management);
	if ((err = listen_there(process, fault)) == OK && (err = run(process, fault)) == OK) {
		log_info("openvpn", "pid=%d", (int)process->pid);
		*out = process;
	} else {
		vpn_process_destroy(process);
	}
	return err;
}

void vpn_process_stop(struct vpn_process *process)
{
	kill(process->pid, SIGTERM);
}

void vpn_process_destroy(struct vpn_process *process)
{
	if (process == NULL)
		return;
	child_destroy(process->child);
	unwatch(process, &process->listener);
	unwatch(process, &process->connection);
	free(process->out);
	explicit_bzero(process, sizeof(*process));
	free(process);
}
