/*
 * leak_check: part of the processes of the sanitizers' build. Runit sends SIGCONT right after
 * SIGTERM. One that comes while LeakSanitizer stops the threads, at the end of a process, takes a
 * stop away, and both wait for ever. So a process below runit's runsv has that signal before the
 * check begins.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void continue_signal(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGCONT);
}

static bool is_below_runsv(void)
{
	char path[32], name[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)getppid());
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	if (fgets(name, sizeof(name), file) == NULL)
		name[0] = '\0';
	fclose(file);
	return strcmp(name, "runsv\n") == 0;
}

static void wait_for_continue(void)
{
	const struct timespec limit = { .tv_sec = 5 }; /* who ends by itself gets no signal */
	sigset_t set;

	continue_signal(&set);
	if (is_below_runsv())
		sigtimedwait(&set, NULL, &limit);
}

/* The sanitizer has asked for its turn before: what asks later goes first. */
__attribute__((constructor)) static void start(void)
{
	sigset_t set;

	continue_signal(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	atexit(wait_for_continue);
}
