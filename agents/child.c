/* child: see child.h. */
#include "agents/child.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
	struct loop *loop;
	pid_t pid; /* 0: reaped */
	struct loop_watch watch;
	struct loop_timer limit;
	void (*ended)(void *context, int status);
	void *context;
};

static int reap(struct child *child)
{
	int status = 0;

	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	child->pid = 0;
	return status;
}

static void on_end(void *context, uint32_t events)
{
	struct child *child = context;

	(void)events;
	loop_change(child->loop, &child->watch, 0);
	loop_clear_timer(child->loop, &child->limit);
	child->ended(child->context, reap(child));
}

static void on_limit(void *context)
{
	struct child *child = context;

	kill(-child->pid, SIGKILL); /* its end is seen like any other */
}

struct child *child_create(struct loop *loop, pid_t pid, int64_t limit_ms,
	void (*ended)(void *context, int status), void *context)
{
	struct child *child = xcalloc(1, sizeof(*child));
	int fd = pidfd_open(pid, 0);

	if (fd < 0)
		BUG("pidfd_open: %m");
	*child = (struct child){ .loop = loop,
		.pid = pid,
		.watch = { fd, on_end, child },
		.limit = { .fire = on_limit, .context = child },
		.ended = ended,
		.context = context };
	loop_add(loop, &child->watch, EPOLLIN);
	loop_set_timer(loop, &child->limit, clock_ms() + limit_ms);
	return child;
}

void child_destroy(struct child *child)
{
	if (child == NULL)
		return;
	if (child->pid != 0) {
		kill(-child->pid, SIGKILL);
		reap(child);
	}
	loop_clear_timer(child->loop, &child->limit);
	loop_remove(child->loop, &child->watch);
	close(child->watch.fd);
	free(child);
}
