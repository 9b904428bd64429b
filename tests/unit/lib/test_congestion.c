/*
 * congestion: when there is a reason for bbr, and what may be set.
 */
#include "lib/congestion.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

Test(congestion, has_a_reason_in_distance_and_in_loss)
{
	const struct {
		struct congestion_path path;
		bool want;
	} rows[] = {
		{ { 0, 0, 10, 0 }, false },
		{ { 90, 80, 1000000, 0 }, false },
		{ { 2100, 2000, 10, 0 }, false },
		{ { 2100, 2001, 10, 0 }, true },
		{ { 90, 80, 100, 2 }, false },
		{ { 90, 80, 100, 3 }, true },
		{ { 90, 80, 1000000, 100 }, false },
		{ { 90, 80, 1000000, 101 }, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct congestion_mark mark = { 0 };

		cr_expect_eq(
			congestion_is_reason(&rows[i].path, &mark), rows[i].want, "row %zu", i);
	}
}

Test(congestion, counts_what_was_lost_lately)
{
	struct congestion_mark mark = { 0 };

	cr_expect_not(
		congestion_is_reason(&(struct congestion_path){ 90, 80, 5000000, 200 }, &mark));
	cr_expect_not(
		congestion_is_reason(&(struct congestion_path){ 90, 80, 5001000, 202 }, &mark));
	cr_expect(congestion_is_reason(&(struct congestion_path){ 90, 80, 5002000, 203 }, &mark));
	cr_expect(congestion_is_reason(&(struct congestion_path){ 90, 80, 5003000, 204 }, &mark),
		"until it is heeded");
}

Test(congestion, has_a_reason_in_a_queue_that_stays)
{
	const struct {
		uint32_t rtt_us, n_sent;
		bool want;
	} rows[] = {
		{ 25000, 1000, false },
		{ 25000, 2000, false },
		{ 9000, 3000, false }, /* begins anew */
		{ 25000, 4000, false },
		{ 25000, 5000, false },
		{ 25000, 5001, false }, /* as before: it has sent next to nothing */
		{ 25000, 6000, true },
	};
	struct congestion_mark mark = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(congestion_is_reason(&(struct congestion_path){ rows[i].rtt_us, 80,
							  rows[i].n_sent, 0 },
				     &mark),
			rows[i].want, "row %zu", i);
}

Test(congestion, refuses_a_control_that_the_kernel_does_not_have)
{
	struct congestion *congestion = NULL;
	struct fault fault;

	cr_assert_eq(congestion_create(&congestion, "none-such", &fault), ERR_INVALID_ARGUMENT);
	cr_assert_null(congestion);
	cr_assert_not_null(strstr(fault.detail, "none-such"));
}

Test(congestion, sets_what_was_chosen_by_name)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct congestion_mark mark = { 0 };
	struct congestion *congestion;
	char name[16] = "";
	socklen_t len = sizeof(name);
	struct fault fault;

	cr_assert_eq(congestion_create(&congestion, "reno", &fault), OK, "%s", fault.detail);
	congestion_begin(congestion, fd);
	cr_assert(congestion_look(congestion, fd, &mark));
	cr_assert_eq(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	cr_assert_str_eq(name, "reno");
	congestion_destroy(congestion);
	close(fd);
}

Test(congestion, leaves_a_socket_alone_that_is_no_tcp)
{
	struct congestion_mark mark = { 0 };
	struct congestion *congestion;
	struct fault fault;
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	cr_assert_eq(congestion_create(&congestion, CONGESTION_AUTO, &fault), OK);
	congestion_begin(congestion, fds[0]);
	cr_assert(congestion_look(congestion, fds[0], &mark));
	congestion_destroy(congestion);
	close(fds[0]);
	close(fds[1]);
}
