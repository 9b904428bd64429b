/*
 * ops: the port on which a process tells whether it is ready, and the question for it.
 */
#include "lib/ops.h"
#include "lib/ops_health.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

static const char *reason;

static const char *ready(void *context)
{
	(void)context;
	return reason;
}

/* A port that was free a moment ago, so that nobody answers there. */
static void free_endpoint(char *out, size_t size)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert(bind(fd, (struct sockaddr *)&address, len) == 0);
	cr_assert(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
	close(fd);
	snprintf(out, size, "127.0.0.1:%u", ntohs(address.sin_port));
}

Test(ops, tells_whether_a_process_is_ready, .init = cr_redirect_stdout)
{
	struct ops *ops = NULL;
	char listen[32];

	cr_redirect_stderr();
	free_endpoint(listen, sizeof(listen));
	cr_assert(ops_health(listen) == ERR_UNAVAILABLE, "nobody is there");
	cr_assert(ops_start(&ops, listen, ready, NULL) == OK);
	reason = "database: not reached yet";
	cr_assert(ops_health(listen) == ERR_UNAVAILABLE);
	reason = NULL;
	cr_assert(ops_health(listen) == OK);
	ops_stop(ops);
	fflush(stdout);
	cr_assert_stdout_eq_str("ok\n");
}

Test(ops, says_why_it_is_not_ready, .init = cr_redirect_stderr)
{
	struct ops *ops = NULL;
	char listen[32], want[128];

	free_endpoint(listen, sizeof(listen));
	cr_assert(ops_start(&ops, listen, ready, NULL) == OK);
	reason = "database: not reached yet";
	cr_assert(ops_health(listen) == ERR_UNAVAILABLE);
	ops_stop(ops);
	fflush(stderr);
	snprintf(want, sizeof(want), "LANYARD_OPS_LISTEN=%s: database: not reached yet\n", listen);
	cr_assert_stderr_eq_str(want);
}

Test(ops, needs_a_port_to_ask_on, .init = cr_redirect_stderr)
{
	cr_assert(ops_health("127.0.0.1:0") == ERR_UNAVAILABLE);
	fflush(stderr);
	cr_assert_stderr_eq_str(
		"LANYARD_OPS_LISTEN=127.0.0.1:0: a port that is known is needed to ask on\n");
}
