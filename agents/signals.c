/* signals: see signals.h. */
#include "agents/signals.h"

#include "lib/mem.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void fill(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
}

void signals_block(void)
{
	sigset_t set;

	fill(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void on_signal(void *context, uint32_t events)
{
	struct signals *signals = context;
	struct signalfd_siginfo info;

	(void)events;
	if (read(signals->watch.fd, &info, sizeof(info)) == sizeof(info))
		signals->asked(signals->context);
}

void signals_open(
	struct signals *signals, struct loop *loop, void (*asked)(void *context), void *context)
{
	sigset_t set;
	int fd;

	fill(&set);
	if ((fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		BUG("signalfd: %m");
	*signals = (struct signals){ loop, { fd, on_signal, signals }, asked, context };
	loop_add(loop, &signals->watch, EPOLLIN);
}

void signals_close(struct signals *signals)
{
	loop_remove(signals->loop, &signals->watch);
	close(signals->watch.fd);
}
