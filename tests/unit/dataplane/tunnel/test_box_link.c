/* box_link: the frames that a device is sent and may send, against visitors that are only ends. */
#include "dataplane/tunnel/box_link.h"

#include "dataplane/tunnel/box_internal.h"
#include "tests/unit/dataplane/fake_channel.h"

#define DATA(stream) "\x02\0\0\0" stream
#define END(stream)  "\x03\0\0\0" stream

/* ---- what boxes.c does, without a node ---- */

static struct box *added;
static unsigned n_left;

void boxes_add(struct boxes *boxes, struct box *box)
{
	box->boxes = boxes;
	added = box;
}

void boxes_announce(struct box *box)
{
	(void)box;
}

void boxes_remove(struct box *box)
{
	box->boxes = NULL;
	added = NULL;
}

void boxes_left(struct box *box)
{
	(void)box;
	n_left++;
}

/* ---- visitors ---- */

struct visitor {
	struct relay_end relay; /* first */
	bool held, closed, parted, shut;
};

static struct visitor *of(struct end *end)
{
	return (struct visitor *)end->owner;
}

static void on_wake(struct end *end)
{
	(void)end;
}

static void on_hold(struct end *end, bool held)
{
	of(end)->held = held;
}

static void on_set_timer(struct end *end, unsigned ms)
{
	(void)end;
	(void)ms;
}

static void on_close(struct end *end, enum ws_status code, const char *reason)
{
	(void)code;
	(void)reason;
	of(end)->closed = true;
}

static void on_shut(struct end *end)
{
	of(end)->shut = true;
}

static const struct end_transport transport = {
	.name = "visitor",
	.wake = on_wake,
	.hold = on_hold,
	.set_timer = on_set_timer,
	.close = on_close,
	.finish = on_close,
	.shut = on_shut,
};

static void on_received(struct relay_end *one, const struct pipe_piece *piece)
{
	(void)one;
	(void)piece;
}

static void on_parted(struct relay_end *one)
{
	((struct visitor *)one)->parted = true;
}

static const struct relay_hooks hooks = {
	.received = on_received,
	.parted = on_parted,
	.closed = on_parted,
};

/* ---- the link ---- */

static struct fake fake;
static struct visitor visitor, first, second;

static void setup(void)
{
	const struct box opened = { .name = "a.box.example" };

	fake_init(&fake, "connection");
	box_link_create(NULL, &fake.channel, &opened, false);
	n_left = 0;
}

static void teardown(void)
{
	if (fake.channel.state != CHANNEL_GONE)
		fake_end(&fake);
	pipe_finish(&visitor.relay.end.out);
	pipe_finish(&first.relay.end.out);
	pipe_finish(&second.relay.end.out);
}

static void visit(struct visitor *one)
{
	const struct box_visitor told = { .kind = MUX_TLS, .address = "192.0.2.7" };

	*one = (struct visitor){ 0 };
	end_init(&one->relay.end, &transport, NULL, "192.0.2.7");
	relay_init(&one->relay, &hooks);
	relay_join(&one->relay, added->kind->enter(added, &told));
}

/* The visitor sends `len` bytes. */
static void speak(struct visitor *one, size_t len)
{
	uint8_t *data = xcalloc(1, len);

	end_received(&one->relay.end,
		&(struct pipe_piece){ .data = data, .len = len, .first = true, .final = true });
	free(data);
}

static void say(const void *frame, size_t len)
{
	fake_receive_all(&fake, frame, len, false);
}

#define SAY(frame) say(frame, sizeof(frame) - 1)

/* Bytes of DATA for the stream among what was written. */
static size_t data_of(unsigned stream)
{
	size_t len = 0;

	for (size_t i = 0; i < fake.n_sent; i++)
		if (fake.sent[i].data[0] == MUX_DATA && fake.sent[i].data[4] == stream)
			len += fake.sent[i].len - MUX_HEADER_LEN;
	return len;
}

static unsigned count_of(enum mux_type type)
{
	unsigned n = 0;

	for (size_t i = 0; i < fake.n_sent; i++)
		n += fake.sent[i].data[0] == type;
	return n;
}

static void turns(void)
{
	for (int i = 0; i < 10; i++)
		fake_turn(&fake);
}

TestSuite(box_link, .init = setup, .fini = teardown);

Test(box_link, a_visitor_is_announced_and_its_bytes_wait_for_credit)
{
	uint8_t credit[MUX_CONTROL_MAX];
	visit(&visitor);
	speak(&visitor, 100000);
	turns();
	cr_assert_eq(fake.sent[0].data[0], MUX_OPEN);
	cr_assert_eq(memcmp(fake.sent[0].data + 5,
			     "\1"
			     "192.0.2.7",
			     10),
		0);
	cr_assert_eq(data_of(1), MUX_WINDOW);
	say(credit, mux_credit(credit, 1, 1000));
	turns();
	cr_assert_eq(data_of(1), MUX_WINDOW + 1000);
	say(credit, mux_credit(credit, 1, MUX_WINDOW_MAX));
	turns();
	cr_assert_eq(data_of(1), 100000);
}

Test(box_link, a_stalled_stream_leaves_the_room_to_others)
{
	visit(&first);
	visit(&second);
	speak(&first, 4 * MUX_WINDOW);
	turns();
	speak(&second, 1000);
	turns();
	cr_assert_eq(data_of(1), MUX_WINDOW);
	cr_assert_eq(data_of(2), 1000);
}

Test(box_link, credit_is_given_while_the_visitor_takes)
{
	static uint8_t frame[MUX_HEADER_LEN + MUX_WINDOW] = DATA("\1");
	size_t total = 0;

	visit(&visitor);
	turns();
	/* The visitor takes nothing: what comes fills its queue, then no more credit is given. */
	for (; !end_is_full(&visitor.relay.end); total += MUX_WINDOW) {
		say(frame, sizeof(frame));
		turns();
	}
	cr_assert_eq(total, PIPE_FULL);
	cr_assert_geq(count_of(MUX_CREDIT), 1);
	fake_forget_sent(&fake);
	say(frame, sizeof(frame));
	say(frame, sizeof(frame));
	turns();
	cr_assert_eq(count_of(MUX_CREDIT), 0);
	cr_assert_eq(fake.channel.state, CHANNEL_OPEN);
	/* It takes all of it. */
	pipe_finish(&visitor.relay.end.out);
	end_filled(&visitor.relay.end);
	turns();
	cr_assert_eq(count_of(MUX_CREDIT), 1);
}

Test(box_link, who_sends_more_than_it_may_loses_its_link)
{
	static uint8_t frame[MUX_HEADER_LEN + MUX_WINDOW + 1] = DATA("\1");
	visit(&visitor);
	turns();
	say(frame, sizeof(frame));
	cr_assert_eq(fake.channel.state, CHANNEL_CLOSING);
	cr_assert_eq(fake.channel.code, WS_STATUS_PROTOCOL_ERROR);
	cr_assert(visitor.closed, "the visitor goes with it");
	cr_assert_null(added);
}

Test(box_link, frames_that_are_out_of_place_end_it)
{
	static const struct {
		const char *frame;
		size_t len;
	} rows[] = {
		{ "\x01\0\0\0\1\1", 6 },	 /* OPEN */
		{ "\x09\0\0\0\1", 5 },		 /* of no type */
		{ "\x05\0\0\0\1\0\x10\0\0", 9 }, /* CREDIT over all bounds */
		{ "\x03\0\0\0\1\0", 6 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		visit(&visitor);
		say(rows[i].frame, rows[i].len);
		cr_expect_eq(fake.channel.code, WS_STATUS_PROTOCOL_ERROR, "row %zu", i);
		fake_end(&fake);
		setup();
	}
	fake_receive_all(&fake, "text", 4, true);
	cr_assert_eq(fake.channel.code, WS_STATUS_UNSUPPORTED);
}

Test(box_link, what_is_said_about_a_stream_that_is_over_is_ignored)
{
	visit(&visitor);
	SAY("\x04\0\0\0\1"); /* RESET */
	cr_assert(visitor.parted);
	cr_assert_eq(n_left, 1);
	SAY(DATA("\1") "late");
	SAY(END("\1"));
	cr_assert_eq(fake.channel.state, CHANNEL_OPEN);
}

Test(box_link, each_side_may_end_alone)
{
	visit(&visitor);
	speak(&visitor, 10);
	end_ended(&visitor.relay.end); /* the visitor sends no more */
	turns();
	cr_assert_eq(data_of(1), 10);
	cr_assert_eq(count_of(MUX_END), 1);
	SAY(DATA("\1") "answer");
	cr_assert_eq(visitor.relay.end.out.bytes, 6);
	SAY(END("\1"));
	turns();
	cr_assert_eq(n_left, 1);
	cr_assert_eq(count_of(MUX_RESET), 0);
}

Test(box_link, silence_is_asked_about_and_then_the_end)
{
	visit(&visitor);
	fake.silence_ms = 16000;
	fake.channel.face->timer(&fake.channel);
	cr_assert(fake.pinged);
	cr_assert_eq(fake.channel.state, CHANNEL_OPEN);
	fake.silence_ms = 46000;
	fake.channel.face->timer(&fake.channel);
	cr_assert_eq(fake.channel.state, CHANNEL_CLOSING);
	cr_assert(visitor.closed);
}

Test(box_link, a_device_is_asked_to_link_elsewhere_and_its_visitors_stay)
{
	visit(&visitor);
	added->kind->retire(added);
	turns();
	cr_assert_eq(count_of(MUX_END), 1);
	cr_assert_eq(fake.sent[0].len, MUX_HEADER_LEN);
	cr_assert_arr_eq(fake.sent[0].data, "\3\0\0\0\0", MUX_HEADER_LEN);
	speak(&visitor, 100);
	turns();
	cr_assert_eq(data_of(1), 100);
	cr_assert_eq(fake.channel.state, CHANNEL_OPEN);
}

Test(box_link, it_ends_when_it_is_told_to)
{
	visit(&visitor);
	added->kind->close(added, "the name is gone");
	cr_assert_eq(fake.channel.code, WS_STATUS_POLICY);
	cr_assert_str_eq(fake.channel.reason, "the name is gone");
	cr_assert(visitor.closed);
	SAY(DATA("\1") "late");
	cr_assert_eq(n_left, 1);
}
