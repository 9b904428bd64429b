/* relay: what flows between two ends, what waits, and in which order they end. */
#include "tests/unit/dataplane/net/net_fixture.h"

#include "dataplane/relay/relay.h"

#define LONG_MS 600000 /* longer than the test */

static struct relay_end one, two;
static int of_one, of_two; /* their peers */
static int n_parted, n_closed;

static void on_received(struct relay_end *end, const struct pipe_piece *piece)
{
	(void)end;
	(void)piece;
}

static void on_parted(struct relay_end *end)
{
	n_parted++;
	end_finish(&end->end, WS_STATUS_NORMAL, "");
}

static void on_closed(struct relay_end *end)
{
	(void)end;
	n_closed++;
}

static const struct relay_hooks hooks = {
	.received = on_received,
	.parted = on_parted,
	.closed = on_closed,
};

static void setup(void)
{
	net_setup();
	end_of_stream(&one.end, net_stream(NULL, NULL, &of_one));
	relay_init(&one, &hooks);
	end_of_stream(&two.end, net_stream(NULL, NULL, &of_two));
	relay_init(&two, &hooks);
	relay_join(&one, &two);
}

static void teardown(void)
{
	close(of_one);
	close(of_two);
	UNTIL(n_closed == 2);
	net_teardown();
}

TestSuite(relay, .init = setup, .fini = teardown, .timeout = 60);

static void expect(int fd, const char *text)
{
	char got[64];

	cr_assert_eq(net_receive(fd, got, strlen(text)), strlen(text));
	cr_expect_eq(memcmp(got, text, strlen(text)), 0);
}

static bool has_come(int fd)
{
	char byte;

	for (int turn = 0; turn < 20; turn++)
		uv_run(&net_loop, UV_RUN_NOWAIT);
	return recv(fd, &byte, 1, MSG_PEEK) == 1;
}

Test(relay, passes_on_in_both_directions)
{
	net_send(of_one, "question", 8);
	expect(of_two, "question");
	net_send(of_two, "answer", 6);
	expect(of_one, "answer");
}

Test(relay, nothing_comes_to_a_quiet_end_before_its_own_first_bytes)
{
	relay_keep_quiet(&two, LONG_MS);
	cr_expect(relay_is_held(&one));
	net_send(of_one, "early", 5);
	cr_expect_not(has_come(of_two));
	net_send(of_two, "first", 5);
	expect(of_one, "first");
	expect(of_two, "early");
}

Test(relay, nor_before_its_time)
{
	relay_keep_quiet(&two, 1);
	net_send(of_one, "early", 5);
	expect(of_two, "early");
	cr_expect_not(relay_is_held(&one));
}

Test(relay, an_end_that_is_shut_still_receives)
{
	net_send(of_one, "question", 8);
	cr_assert_eq(shutdown(of_one, SHUT_WR), 0);
	expect(of_two, "question");
	cr_expect_eq(net_receive(of_two, (char[1]){ 0 }, 1), 0, "its end is told");
	net_send(of_two, "answer", 6);
	expect(of_one, "answer");
	cr_expect_eq(n_parted, 0);
}
