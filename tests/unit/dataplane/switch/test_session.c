/*
 * session: what becomes of messages, who replaces whom, who ends when, and the list.
 */
#include "tests/unit/dataplane/fake_channel.h"

#include "dataplane/switch/session.h"
#include "lib/call.h"
#include "lib/l2.h"
#include "lib/mem.h"
#include "tests/frames.h"

#define TENANT	"018f0000-0000-7000-8000-0000000000aa"
#define OTHER	"018f0000-0000-7000-8000-0000000000bb"
#define NETWORK "018f0000-0000-7000-8000-000000000001"
#define LAB	"018f0000-0000-7000-8000-000000000002"

static struct sessions *sessions;
static struct fake a, b;

static struct token_claims claims_of(const char *member, const char *mac)
{
	struct token_claims claims = { .issued_at = 1000 };

	strcpy(claims.tenant, TENANT);
	strcpy(claims.network, NETWORK);
	strcpy(claims.mac, mac);
	snprintf(claims.member, sizeof(claims.member), "%s", member);
	snprintf(claims.subject, sizeof(claims.subject), "device:%s", member);
	return claims;
}

static void begin(struct fake *fake, const char *id, const struct token_claims *claims)
{
	fake_init(fake, id);
	session_create(sessions, &fake->channel, claims, "", false);
	fake_open(fake);
}

static void setup(void)
{
	const struct token_claims of_a = claims_of("a", "02:00:00:00:00:0a");
	const struct token_claims of_b = claims_of("b", "02:00:00:00:00:0b");

	sessions = sessions_create();
	begin(&a, "id-a", &of_a);
	begin(&b, "id-b", &of_b);
}

static void teardown(void)
{
	fake_end(&a);
	fake_end(&b);
	sessions_destroy(sessions);
	packet_trim();
}

TestSuite(session, .init = setup, .fini = teardown);

/* A frame from a to b, of `len` bytes. */
static uint8_t *frame_of(size_t len)
{
	static uint8_t frame[70000];

	memset(frame, 'x', sizeof(frame));
	memcpy(frame, "\x02\0\0\0\0\x0b\x02\0\0\0\0\x0a", 12);
	cr_assert_leq(len, sizeof(frame));
	return frame;
}

static void list(const char *tenant, Dataplane__ListSessionsRequest request, const char *want)
{
	Dataplane__SessionList found = DATAPLANE__SESSION_LIST__INIT;
	AUTO_ARENA arena = arena_create();
	const char *ids = "";

	sessions_list(sessions, tenant, "node", &request, arena, &found);
	for (size_t i = 0; i < found.n_items; i++)
		ids = arena_printf(arena, "%s%s ", ids, found.items[i]->id);
	cr_assert_str_eq(ids, want);
}

Test(session, forwards_a_message_as_a_frame_and_counts_it)
{
	const Dataplane__ListSessionsRequest request = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;
	Dataplane__SessionList found = DATAPLANE__SESSION_LIST__INIT;
	AUTO_ARENA arena = arena_create();

	fake_receive_all(&a, frame_of(60), 60, false);
	fake_receive_all(&a, frame_of(13), 13, false);
	fake_turn(&b);
	cr_assert_eq(b.n_sent, 1);
	cr_assert_eq(b.sent[0].len, 60);
	cr_assert_eq(memcmp(b.sent[0].data, frame_of(60), 60), 0);

	b.full = true;
	for (int i = 0; i < 20; i++)
		fake_receive_all(&a, frame_of(65535), 65535, false);
	sessions_list(sessions, TENANT, "node", &request, arena, &found);
	cr_assert_eq(found.n_items, 2);
	cr_assert_eq(found.items[0]->rx_frames, 22);
	cr_assert_eq(found.items[0]->rx_bytes, 73 + 20 * 65535);
	cr_assert_eq(found.items[0]->dropped_frames, 1);
	cr_assert_eq(found.items[1]->tx_frames, 1);
	cr_assert_eq(found.items[1]->tx_bytes, 60);
	cr_assert_eq(found.items[1]->dropped_frames, 5);
	cr_assert_str_eq(found.items[1]->node, "node");
	cr_assert_str_eq(found.items[1]->mac, "02:00:00:00:00:0b");
}

/* A batch of two: a super-frame of three segments, and a small frame. */
static size_t batch_of_two(uint8_t *out)
{
	static const struct offload plain, tcp = { 1, OFFLOAD_TCP_IPV4, 54, 1346, 34, 16 };
	uint8_t *super = out + L2_HEADER_LEN, *small;
	size_t len = frame_make(super, &(struct frame_wish){ 4, IP_TCP, .payload = 4000 });

	frame_leave_checksum(super, len);
	memcpy(super, frame_of(12), 12);
	l2_write_header(out, &tcp, len);
	small = super + len + L2_HEADER_LEN;
	memcpy(small, frame_of(60), 60);
	l2_write_header(small - L2_HEADER_LEN, &plain, 60);
	return (size_t)(small + 60 - out);
}

Test(session, carries_super_frames_to_those_that_take_them_and_cuts_them_for_others)
{
	const struct token_claims claims = claims_of("a", "02:00:00:00:00:0a");
	const struct token_claims of_b = claims_of("b", "02:00:00:00:00:0b");
	struct block *block = block_new();
	size_t len = batch_of_two(block->data);
	const struct channel_piece piece = {
		.data = block->data, .len = len, .first = true, .final = true, .block = block
	};
	struct fake fast, taker;

	fake_init(&fast, "id-fast");
	session_create(sessions, &fast.channel, &claims, "", true);
	fake_open(&fast);
	fake_receive(&fast, &piece);
	fake_turn(&b);
	cr_assert_eq(b.n_sent, 4);
	cr_expect_eq(b.sent[0].len, 1400);
	cr_expect_eq(b.sent[2].len, 54 + 4000 - 2 * 1346);
	cr_expect_eq(b.sent[3].len, 60);

	fake_init(&taker, "id-taker");
	session_create(sessions, &taker.channel, &of_b, "", true);
	fake_open(&taker);
	fake_receive(&fast, &piece);
	fake_turn(&taker);
	cr_assert_eq(taker.n_sent, 1);
	cr_expect_eq(taker.sent[0].len, len);
	cr_expect_arr_eq(taker.sent[0].data, block->data, len);

	fake_end(&fast);
	fake_end(&taker);
	block_unref(block);
	cr_expect_eq(block_count(), 0);
	block_trim();
}

Test(session, counts_frames_of_a_batch_that_cannot_be_used_and_ends_on_what_is_none)
{
	const Dataplane__ListSessionsRequest request = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;
	const struct token_claims claims = claims_of("a", "02:00:00:00:00:0a");
	Dataplane__SessionList found = DATAPLANE__SESSION_LIST__INIT;
	AUTO_ARENA arena = arena_create();
	struct block *block = block_new();
	size_t len = batch_of_two(block->data);
	struct channel_piece piece = {
		.data = block->data, .len = len, .first = true, .final = true, .block = block
	};
	struct fake fast;

	fake_init(&fast, "id-a2");
	session_create(sessions, &fast.channel, &claims, "", true);
	fake_open(&fast);
	block->data[L2_LENGTH_LEN + 6]++; /* the place of the checksum */
	fake_receive(&fast, &piece);
	sessions_list(sessions, TENANT, "node", &request, arena, &found);
	cr_assert_eq(found.items[0]->dropped_frames, 1);
	fake_turn(&b);
	cr_assert_eq(b.n_sent, 1);
	piece.len--;
	fake_receive(&fast, &piece);
	cr_assert_eq(fast.channel.code, WS_STATUS_UNSUPPORTED);
	fake_end(&fast);
	block_unref(block);
	block_trim();
}

/* Broadcasts from a to b until one waits; how many left at once. */
static unsigned broadcast_until_one_waits(const uint8_t *broadcast)
{
	unsigned n = 0;

	for (b.timer_ms = 0; b.timer_ms == 0; n++) {
		fake_receive_all(&a, broadcast, 60, false);
		fake_turn(&b);
		if (b.timer_ms == 0)
			fake_forget_sent(&b);
	}
	cr_assert(!b.woken);
	return n - 1;
}

Test(session, much_broadcast_waits_for_more_and_other_frames_do_not)
{
	uint8_t broadcast[60];

	memcpy(broadcast, frame_of(60), 60);
	memset(broadcast, 0xff, 6);
	cr_assert_gt(broadcast_until_one_waits(broadcast), 900);
	for (int i = 0; i < 10; i++)
		fake_receive_all(&a, broadcast, 60, false);
	cr_assert(!b.woken);
	b.channel.face->timer(&b.channel);
	fake_turn(&b);
	cr_assert_eq(b.n_sent, 11);
	fake_forget_sent(&b);

	broadcast_until_one_waits(broadcast);
	fake_receive_all(&a, frame_of(60), 60, false);
	fake_turn(&b);
	cr_assert_eq(b.n_sent, 2);
}

Test(session, joins_the_pieces_of_a_message)
{
	uint8_t *frame = frame_of(30000);
	const struct channel_piece pieces[] = {
		{ .data = frame, .len = 10, .left = 9990, .first = true },
		{ .data = frame + 10, .len = 9990 },
		{ .data = frame + 10000, .len = 20000, .final = true },
	};

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		fake_turn(&b);
		cr_assert_eq(b.n_sent, 0);
		fake_receive(&a, &pieces[i]);
	}
	fake_turn(&b);
	cr_assert_eq(b.n_sent, 1);
	cr_assert_eq(b.sent[0].len, 30000);
	cr_assert_eq(memcmp(b.sent[0].data, frame, 30000), 0);
}

Test(session, forgets_a_message_that_never_ended)
{
	const struct channel_piece begun = { .data = frame_of(40), .len = 40, .first = true };

	fake_receive(&a, &begun);
	fake_receive_all(&a, frame_of(60), 60, false);
	fake_turn(&b);
	cr_assert_eq(b.n_sent, 1);
	cr_assert_eq(b.sent[0].len, 60);
}

Test(session, closes_on_messages_that_are_no_frames)
{
	const struct channel_piece rows[] = {
		{ .data = frame_of(1), .len = 60, .first = true, .final = true, .text = true },
		{ .data = frame_of(1), .len = 65550, .first = true, .final = true },
		{ .data = frame_of(1), .len = 60, .left = 65490, .first = true },
		{ .data = frame_of(1), .len = 60, .left = SIZE_MAX, .first = true },
	};
	const enum ws_status want[] = { WS_STATUS_UNSUPPORTED, WS_STATUS_TOO_BIG, WS_STATUS_TOO_BIG,
		WS_STATUS_TOO_BIG };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct token_claims claims = claims_of("c", "02:00:00:00:00:0c");
		struct fake c;

		begin(&c, "id-c", &claims);
		fake_receive(&c, &rows[i]);
		cr_assert_eq(c.channel.state, CHANNEL_CLOSING, "row %zu", i);
		cr_assert_eq(c.channel.code, want[i], "row %zu", i);
		fake_end(&c);
	}
}

Test(session, closes_when_the_pieces_add_up_to_too_much)
{
	const struct channel_piece piece = { .data = frame_of(1), .len = 16384 };
	const struct channel_piece first = { .data = frame_of(1), .len = 16384, .first = true };

	fake_receive(&a, &first);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(a.channel.state, CHANNEL_OPEN);
		fake_receive(&a, &piece);
	}
	cr_assert_eq(a.channel.state, CHANNEL_OPEN);
	fake_receive(&a, &piece);
	cr_assert_eq(a.channel.code, WS_STATUS_TOO_BIG);
}

Test(session, is_replaced_at_once_by_its_members_new_one)
{
	const struct token_claims claims = claims_of("b", "02:00:00:00:00:0b");
	struct fake again;

	begin(&again, "id-b2", &claims);
	cr_assert_eq(b.channel.code, WS_STATUS_POLICY);
	fake_receive_all(&a, frame_of(60), 60, false);
	fake_turn(&again);
	cr_assert_eq(again.n_sent, 1);
	fake_turn(&b);
	cr_assert_eq(b.n_sent, 0);
	list(TENANT, (Dataplane__ListSessionsRequest)DATAPLANE__LIST_SESSIONS_REQUEST__INIT,
		"id-a id-b2 ");
	fake_end(&again);
}

Test(session, never_begins_with_another_members_address)
{
	const struct token_claims claims = claims_of("thief", "02:00:00:00:00:0b");
	struct fake thief;

	begin(&thief, "id-t", &claims);
	cr_assert_eq(thief.channel.code, WS_STATUS_POLICY);
	cr_assert_eq(b.channel.state, CHANNEL_OPEN);
	fake_receive_all(&a, frame_of(60), 60, false);
	fake_turn(&b);
	cr_assert_eq(b.n_sent, 1);
	fake_end(&thief);
}

Test(session, ends_when_its_subject_is_revoked)
{
	sessions_end_subject(sessions, "device:a", 1000); /* its token was issued after that */
	sessions_end_subject(sessions, "device:c", 2000);
	cr_assert_eq(a.channel.state, CHANNEL_OPEN);
	sessions_end_subject(sessions, "device:a", 1001);
	cr_assert_eq(a.channel.code, WS_STATUS_POLICY);
	cr_assert_eq(b.channel.state, CHANNEL_OPEN);
	sessions_end_member(sessions, "b");
	cr_assert_eq(b.channel.code, WS_STATUS_POLICY);
}

Test(session, ends_when_its_policy_is_an_earlier_one)
{
	struct token_claims claims = claims_of("b", "02:00:00:00:00:0b");
	struct fake again;

	claims.policy_version = 3;
	begin(&again, "id-b2", &claims);
	sessions_renew_member(sessions, "b", 3);
	sessions_renew_member(sessions, "c", 9);
	cr_assert_eq(again.channel.state, CHANNEL_OPEN);
	sessions_renew_member(sessions, "b", 4);
	cr_assert_eq(again.channel.code, WS_STATUS_POLICY);
	cr_assert_eq(a.channel.state, CHANNEL_OPEN);
	fake_end(&again);
}

Test(session, follows_the_latest_rules_of_its_network)
{
	const struct switch_rules rules = { .version = 2, .no_broadcast = true };
	uint8_t frame[60] = { 0 };

	memcpy(frame, "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x0a", 12);
	fake_receive_all(&a, frame, sizeof(frame), false);
	fake_turn(&b);
	cr_assert_eq(b.n_sent, 1);
	sessions_set_rules(sessions, OTHER, NETWORK, &rules);
	sessions_set_rules(sessions, TENANT, LAB, &rules);
	fake_receive_all(&a, frame, sizeof(frame), false);
	fake_turn(&b);
	cr_assert_eq(b.n_sent, 2);
	sessions_set_rules(sessions, TENANT, NETWORK, &rules);
	fake_receive_all(&a, frame, sizeof(frame), false);
	fake_turn(&b);
	cr_assert_eq(b.n_sent, 2);
	sessions_set_rules(sessions, TENANT, NETWORK, &(struct switch_rules){ .version = 1 });
	fake_receive_all(&a, frame, sizeof(frame), false);
	fake_turn(&b);
	cr_assert_eq(b.n_sent, 2);
}

Test(session, without_an_address_has_that_of_its_first_frame)
{
	const struct token_claims claims = claims_of("c", "");
	Dataplane__ListSessionsRequest request = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;
	Dataplane__SessionList found = DATAPLANE__SESSION_LIST__INIT;
	AUTO_ARENA arena = arena_create();
	uint8_t frame[60] = { 0 };
	struct fake c;

	begin(&c, "id-c", &claims);
	request.id = (char *)"id-c";
	sessions_list(sessions, TENANT, "node", &request, arena, &found);
	cr_assert_str_eq(found.items[0]->mac, "");
	memcpy(frame, "\x02\0\0\0\0\x0b\x02\0\0\0\0\x0c", 12);
	fake_receive_all(&c, frame, sizeof(frame), false);
	fake_turn(&b);
	cr_assert_eq(b.n_sent, 1);
	sessions_list(sessions, TENANT, "node", &request, arena, &found);
	cr_assert_str_eq(found.items[0]->mac, "02:00:00:00:00:0c");
	memcpy(frame + 6, "\x02\0\0\0\0\x0d", 6);
	fake_receive_all(&c, frame, sizeof(frame), false);
	fake_turn(&b);
	cr_assert_eq(b.n_sent, 1);
	fake_end(&c);
}

Test(session, is_ended_by_its_own_tenant_only)
{
	cr_assert_eq(sessions_end(sessions, OTHER, "id-a"), ERR_NOT_FOUND);
	cr_assert_eq(sessions_end(sessions, "", "id-a"), ERR_NOT_FOUND);
	cr_assert_eq(sessions_end(sessions, TENANT, "id-x"), ERR_NOT_FOUND);
	cr_assert_eq(a.channel.state, CHANNEL_OPEN);
	cr_assert_eq(sessions_end(sessions, TENANT, "id-a"), OK);
	cr_assert_eq(a.channel.state, CHANNEL_CLOSING);
	cr_assert_eq(sessions_end(sessions, TENANT, "id-a"), ERR_NOT_FOUND);
	cr_assert_eq(sessions_end(sessions, CALL_FLEET, "id-b"), OK);
}

Test(session, is_listed_for_its_own_tenant_only)
{
	Dataplane__ListSessionsRequest request = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;

	list(TENANT, request, "id-a id-b ");
	list(CALL_FLEET, request, "id-a id-b ");
	list(OTHER, request, "");
	list("", request, "");
	request.network = (char *)NETWORK;
	list(TENANT, request, "id-a id-b ");
	request.network = (char *)LAB;
	list(TENANT, request, "");
}

Test(session, is_listed_by_page_and_by_id)
{
	Dataplane__ListSessionsRequest request = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;

	request.limit = 1;
	list(TENANT, request, "id-a ");
	request.cursor = (char *)"id-a";
	list(TENANT, request, "id-b ");
	request.cursor = (char *)"id-b";
	list(TENANT, request, "");
	request.cursor = (char *)"";
	request.id = (char *)"id-b";
	list(TENANT, request, "id-b ");
}

Test(session, wants_claims_that_name_a_port)
{
	struct token_claims claims = claims_of("a", "02:00:00:00:00:0a");

	cr_assert(session_claims_good(&claims));
	*claims.network = '\0';
	cr_assert_not(session_claims_good(&claims));
	claims = claims_of("", "02:00:00:00:00:0a");
	cr_assert_not(session_claims_good(&claims));
	claims = claims_of("a", "ff:ff:ff:ff:ff:ff");
	cr_assert_not(session_claims_good(&claims));
	claims = claims_of("a", "");
	cr_assert(session_claims_good(&claims)); /* its address is that of its first frame */
}
