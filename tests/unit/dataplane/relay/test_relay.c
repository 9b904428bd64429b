/*
 * relay: two ends, their order, their patience with each other, and their end.
 */
#include "tests/unit/dataplane/fake_channel.h"

#include "dataplane/relay/relay.h"
#include "lib/mem.h"

static struct relays *relays;
static struct fake a, b;
static int n_claims;
static char released[128];

static void on_claim(void *context, struct relay_end *end)
{
	struct relay_claim claim;

	(void)context;
	relay_describe(end, &claim);
	cr_assert_str_eq(claim.tenant, "tenant");
	cr_assert_str_eq(claim.token_id, "token");
	cr_assert_str_eq(claim.nonce, "nonce");
	cr_assert_eq(relay_find(relays, claim.connection), end);
	n_claims++;
}

static void on_release(void *context, const char *tenant, const char *pair, const char *connection)
{
	(void)context;
	snprintf(released + strlen(released), sizeof(released) - strlen(released), "%s/%s/%s ",
		tenant, pair, connection);
}

static struct relay_end *end_of(struct fake *fake)
{
	return relay_find(relays, fake->channel.id);
}

static void begin(struct fake *fake, const char *id)
{
	const struct token_claims claims = {
		.id = "token", .tenant = "tenant", .subject = "device:x", .issued_at = 1000
	};

	fake_init(fake, id);
	relay_create(relays, &fake->channel, &claims, "nonce");
	fake_open(fake);
}

static void setup(void)
{
	const struct relays_options options = { .claim = on_claim, .release = on_release };

	n_claims = 0;
	*released = '\0';
	relays = relays_create(&options);
	begin(&a, "a");
	begin(&b, "b");
}

static void finish(struct fake *fake)
{
	if (end_of(fake))
		fake_end(fake);
}

static void teardown(void)
{
	finish(&a);
	finish(&b);
	relays_destroy(relays);
	packet_trim();
}

TestSuite(relay, .init = setup, .fini = teardown);

static void join(void)
{
	relay_wait(end_of(&a), "pair");
	relay_join(end_of(&b), "pair", "a");
}

static void turn(void)
{
	fake_turn(&a);
	fake_turn(&b);
}

static bool is_frame(
	const struct fake_frame *frame, const char *text, enum ws_opcode opcode, bool fin)
{
	return frame->len == strlen(text) && memcmp(frame->data, text, frame->len) == 0 &&
	       frame->opcode == opcode && frame->fin == fin;
}

static uint8_t *bytes(const char *text)
{
	return (uint8_t *)(uintptr_t)text;
}

Test(relay, keeps_what_was_sent_before_the_pair_was_joined)
{
	cr_assert_eq(n_claims, 2);
	fake_receive_all(&a, "early", 5, true);
	fake_receive_all(&b, "bird", 4, false);
	relay_wait(end_of(&a), "pair");
	cr_assert_eq(a.timer_ms, RELAY_WAIT_MS);
	turn();
	cr_assert_eq(a.n_sent + b.n_sent, 0);
	relay_join(end_of(&b), "pair", "a");
	turn();
	cr_assert_eq(a.n_sent, 1);
	cr_assert_eq(b.n_sent, 1);
	cr_assert(is_frame(&b.sent[0], "early", WS_TEXT, true));
	cr_assert(is_frame(&a.sent[0], "bird", WS_BINARY, true));
}

Test(relay, passes_text_as_text_and_binary_as_binary_piece_by_piece)
{
	const struct channel_piece pieces[] = {
		{ .data = bytes("one"), .len = 3, .first = true, .text = true },
		{ .data = bytes("two"), .len = 3, .text = true },
		{ .data = bytes(""), .len = 0, .text = true, .final = true },
	};

	join();
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
		fake_receive(&a, &pieces[i]);
	fake_receive_all(&a, "bin", 3, false);
	turn();
	cr_assert_eq(b.n_sent, 4);
	cr_assert(is_frame(&b.sent[0], "one", WS_TEXT, false));
	cr_assert(is_frame(&b.sent[1], "two", WS_CONTINUATION, false));
	cr_assert(is_frame(&b.sent[2], "", WS_CONTINUATION, true));
	cr_assert(is_frame(&b.sent[3], "bin", WS_BINARY, true));
}

Test(relay, cuts_a_piece_that_is_larger_than_a_packet)
{
	static const uint8_t data[2 * PACKET_MAX + 1] = { 'x' };

	join();
	fake_receive_all(&a, data, sizeof(data), false);
	turn();
	cr_assert_eq(b.n_sent, 3);
	cr_assert_eq(b.sent[0].opcode, WS_BINARY);
	cr_assert_eq(b.sent[1].opcode, WS_CONTINUATION);
	cr_assert_not(b.sent[1].fin);
	cr_assert_eq(b.sent[2].len, 1);
	cr_assert(b.sent[2].fin);
}

/* Receives until the end is held, and tells how many times. */
static size_t fill_up(struct fake *fake)
{
	static const uint8_t data[PACKET_MAX];
	size_t n = 0;

	while (!fake->held && n++ < 40)
		fake_receive_all(fake, data, sizeof(data), false);
	return n;
}

Test(relay, stops_reading_one_end_while_the_other_is_full)
{
	join();
	b.full = true;
	cr_assert_lt(fill_up(&a), 20);
	cr_assert_not(b.held);
	turn();
	cr_assert(a.held);
	b.full = false;
	turn();
	cr_assert_not(a.held);
}

Test(relay, does_not_keep_more_than_a_little_for_an_end_that_has_not_come)
{
	size_t n = fill_up(&a);

	cr_assert_lt(n, 10);
	join();
	turn();
	cr_assert_not(a.held);
	cr_assert_eq(b.n_sent, n);
}

Test(relay, stays_held_when_the_kept_bytes_fill_the_other_end)
{
	fill_up(&a);
	b.full = true;
	join();
	turn();
	cr_assert(a.held);
}

Test(relay, closes_the_other_end_when_all_was_written)
{
	join();
	fake_receive_all(&a, "last", 4, false);
	fake_end(&a);
	cr_assert(b.finished);
	turn();
	cr_assert_eq(b.n_sent, 1);
	cr_assert(is_frame(&b.sent[0], "last", WS_BINARY, true));
	cr_assert_eq(b.channel.code, WS_STATUS_NORMAL);
	cr_assert_str_eq(released, "tenant/pair/a ");
	fake_end(&b);
	cr_assert_str_eq(released, "tenant/pair/a tenant/pair/b ");
}

Test(relay, does_not_wait_for_ever)
{
	relay_wait(end_of(&a), "pair");
	a.channel.face->timer(&a.channel);
	cr_assert_eq(a.channel.code, WS_STATUS_TRY_LATER);
}

Test(relay, may_be_joined_before_it_hears_that_it_waits)
{
	relay_join(end_of(&b), "pair", "a");
	relay_wait(end_of(&a), "pair");
	cr_assert_eq(a.timer_ms, 0);
	relay_join(end_of(&a), "pair", "b"); /* the same claim, answered again */
	cr_assert_eq(a.channel.state, CHANNEL_OPEN);
	fake_receive_all(&a, "x", 1, false);
	turn();
	cr_assert_eq(b.n_sent, 1);
}

Test(relay, refuses_a_partner_that_is_gone_or_taken)
{
	struct fake c;

	join();
	begin(&c, "c");
	relay_join(end_of(&c), "pair", "a");
	cr_assert_eq(c.channel.code, WS_STATUS_TRY_LATER);
	fake_end(&c);
	begin(&c, "c");
	relay_join(end_of(&c), "pair", "nobody");
	cr_assert_eq(c.channel.code, WS_STATUS_TRY_LATER);
	fake_end(&c);
	cr_assert_eq(a.channel.state, CHANNEL_OPEN);
	cr_assert_eq(b.channel.state, CHANNEL_OPEN);
}

Test(relay, releases_nothing_when_the_claim_was_not_granted)
{
	relay_refuse(end_of(&a), "", WS_STATUS_POLICY, "taken");
	cr_assert_eq(a.channel.code, WS_STATUS_POLICY);
	fake_end(&a);
	cr_assert_str_eq(released, "");
}

Test(relay, refuses_a_message_inside_a_message)
{
	const struct channel_piece begun = { .data = bytes("x"), .len = 1, .first = true };

	join();
	fake_receive(&a, &begun);
	fake_receive(&a, &begun);
	turn();
	cr_assert_eq(a.channel.code, WS_STATUS_PROTOCOL_ERROR);
	cr_assert_eq(b.n_sent, 1);
}

Test(relay, ends_with_its_pair_and_with_its_subject)
{
	struct fake c;

	begin(&c, "c");
	relay_wait(end_of(&c), "other");
	join();
	relays_end_pair(relays, "pair");
	cr_assert_eq(a.channel.state, CHANNEL_CLOSING);
	cr_assert_eq(b.channel.state, CHANNEL_CLOSING);
	relays_end_subject(relays, "device:x", 1000);
	cr_assert_eq(c.channel.state, CHANNEL_OPEN);
	relays_end_subject(relays, "device:x", 1001);
	cr_assert_eq(c.channel.code, WS_STATUS_POLICY);
	fake_end(&c);
}
