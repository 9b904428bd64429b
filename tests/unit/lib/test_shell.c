/*
 * shell: what a command gets of its process, and how its end is told.
 */
#include "lib/mem.h"
#include "lib/shell.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const no_variables[] = { NULL };

static struct fault fault;

static err_t run(const char *command)
{
	fault = (struct fault){ "", "" };
	return shell_run(command, no_variables, 30, &fault);
}

Test(shell, tells_how_it_ended)
{
	const struct {
		const char *command;
		err_t want;
		const char *detail;
	} rows[] = {
		{ "true", OK, "" },
		{ "exit 0; false", OK, "" },
		{ "exit 3", ERR_ABORTED, "'exit 3' ended with status 3" },
		{ "/no/such/program 2>/dev/null", ERR_ABORTED,
			"'/no/such/program 2>/dev/null' ended with status 127" },
		{ "kill -TERM $$", ERR_ABORTED, "'kill -TERM $$' was ended by signal TERM" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert_eq(run(rows[i].command), rows[i].want, "%s", rows[i].command);
		cr_assert_str_eq(fault.detail, rows[i].detail);
	}
}

Test(shell, kills_what_does_not_end)
{
	cr_assert_eq(shell_run("sleep 1000", no_variables, 1, &fault), ERR_DEADLINE_EXCEEDED);
	cr_assert_not_null(strstr(fault.detail, "within 1 s"));
}

Test(shell, does_not_wait_for_what_is_in_the_background)
{
	cr_assert_eq(run("sleep 5 &"), OK);
}

Test(shell, hands_on_variables_but_no_settings)
{
	const char *const variables[] = { "LANYARD_INTERFACE=vpn0", NULL };

	setenv("LANYARD_DATABASE_URL", "secret", 1);
	setenv("OTHER", "stays", 1);
	cr_assert_eq(shell_run("test \"$LANYARD_INTERFACE$OTHER${LANYARD_DATABASE_URL-none}\" = "
			       "vpn0staysnone",
			     variables, 30, &fault),
		OK, "%s", fault.detail);
}

/* vpn-ws leaves its sockets to the command, and SIGPIPE blocked. */
Test(shell, hands_on_no_descriptors_and_no_signals)
{
	sigset_t all;
	int fd = open("/dev/null", O_RDWR); /* without O_CLOEXEC */

	cr_assert_eq(dup2(fd, 200), 200);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(run("test ! -e /proc/$$/fd/200"), OK, "%s", fault.detail);
	cr_assert_eq(run("exec grep -q '^SigBlk:.0*$' /proc/self/status"), OK, "%s", fault.detail);
	/* The top bits are glibc's own signals. */
	cr_assert_eq(
		run("exec grep -q '^SigIgn:.*0000000$' /proc/self/status"), OK, "%s", fault.detail);
	cr_assert_eq(run("test \"$(readlink /proc/$$/fd/0)\" = /dev/null"), OK, "%s", fault.detail);
}
