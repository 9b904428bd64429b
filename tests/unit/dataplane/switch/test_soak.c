/*
 * soak: a day in the life of a node's sessions, as fast as it goes: members that connect twice,
 * hang up, stop reading, flood, send nonsense and are thrown out, at random, over real streams.
 * Whatever a reader gets is whole and meant for it; in the end nothing is left, and the switch
 * still works.
 */
#include "tests/unit/dataplane/net/net_fixture.h"

#include "dataplane/net/channel.h"
#include "dataplane/switch/fair.h"
#include "dataplane/switch/session.h"
#include "lib/log.h"
#include "tests/frames.h"

enum { SLOTS = 24, MEMBERS = 12, STEPS = 15000, MESSAGE_MAX = L2_MESSAGE_MAX };

#define TENANT	"018f0000-0000-7000-8000-0000000000aa"
#define NETWORK "018f0000-0000-7000-8000-000000000001"

/* A client. */
struct slot {
	int fd; /* -1: it is not there */
	int member;
	bool batches;
	bool stalled;
	bool greeted; /* has read the 101 */
	uint8_t *out; /* what the socket did not take */
	size_t out_len;
	uint8_t *buf;
	struct ws_reader reader;
	uint64_t n_frames;
};

static struct sessions *sessions;
static struct slot slots[SLOTS];
static struct slot *opening; /* whose request is being read */
static uint64_t random_state = 1;
static uint64_t n_closed, n_received;

static uint32_t chance(uint32_t n)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(random_state >> 33) % n;
}

/* ---- the node's end ---- */

static void on_asked(void *context, struct http *http)
{
	struct token_claims claims = { .issued_at = 1000, .bridge = opening->member == 0 };
	const struct channel_options options = { .quiet_ms = chance(2) };
	struct channel *channel = channel_accept(http, &options);

	(void)context;
	strcpy(claims.tenant, TENANT);
	strcpy(claims.network, NETWORK);
	snprintf(claims.member, sizeof(claims.member), "member-%d", opening->member);
	snprintf(claims.subject, sizeof(claims.subject), "device:%d", opening->member);
	snprintf(claims.mac, sizeof(claims.mac), "02:00:00:00:00:%02x", opening->member);
	session_create(sessions, channel, &claims, opening->batches);
	channel_open(channel);
}

/* ---- a client ---- */

static void hang_up(struct slot *slot)
{
	close(slot->fd);
	free(slot->out);
	free(slot->buf);
	*slot = (struct slot){ .fd = -1 };
	n_closed++;
}

/* Sends what there is, as far as the socket takes it. */
static void push(struct slot *slot)
{
	ssize_t n = send(slot->fd, slot->out, slot->out_len, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN) {
		hang_up(slot);
		return;
	}
	if (n > 0) {
		slot->out_len -= (size_t)n;
		memmove(slot->out, slot->out + n, slot->out_len);
	}
}

static void send_bytes(struct slot *slot, const void *data, size_t len)
{
	slot->out = xrealloc(slot->out, slot->out_len + len + 1);
	memcpy(slot->out + slot->out_len, data, len);
	slot->out_len += len;
}

static void connect_one(struct slot *slot)
{
	static const struct http_face face = { .asked = on_asked };
	static const char request[] =
		"GET /l2 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

	slot->member = (int)chance(MEMBERS);
	slot->batches = chance(2) == 0;
	slot->buf = xmalloc(WS_READER_CAPACITY(MESSAGE_MAX));
	ws_reader_init(
		&slot->reader, WS_CLIENT, slot->buf, WS_READER_CAPACITY(MESSAGE_MAX), MESSAGE_MAX);
	http_create(net_stream(NULL, NULL, &slot->fd), &face, NULL);
	opening = slot;
	cr_assert_eq(send(slot->fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
	for (int i = 0; i < 3; i++)
		uv_run(&net_loop, UV_RUN_NOWAIT);
}

/* A frame from the member to another or to all, with what is left to do for it. */
static size_t make_frame(const struct slot *slot, uint8_t *frame, struct offload *offload)
{
	struct frame_wish wish = { chance(2) ? 4 : 6, chance(2) ? IP_TCP : IP_UDP,
		.source_port = (uint16_t)chance(20), .payload = chance(1400) };
	bool super = slot->batches && chance(4) == 0;
	struct ethernet at;
	size_t len;

	if (super)
		wish.payload += chance(60000);
	len = frame_make(frame, &wish);
	ethernet_parse(frame, len, &at);
	if (super) {
		frame_leave_checksum(frame, len);
		*offload = (struct offload){ OFFLOAD_NEEDS_CHECKSUM,
			wish.protocol == IP_UDP ? OFFLOAD_UDP
			: wish.version == 4	? OFFLOAD_TCP_IPV4
						: OFFLOAD_TCP_IPV6,
			.segment_size = 1200, .checksum_start = (uint16_t)at.transport,
			.checksum_offset = wish.protocol == IP_TCP ? 16 : 6 };
	}
	memset(frame, chance(4) == 0 ? 0xff : 0, 6);
	if (frame[0] == 0)
		memcpy(frame, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)chance(MEMBERS) }, 6);
	frame[11] = (uint8_t)slot->member;
	return len;
}

static void flood(struct slot *slot)
{
	static uint8_t message[WS_HEADER_MAX + L2_HEADER_LEN + ETHERNET_FRAME_MAX];
	static const uint8_t mask[WS_MASK_LEN];

	for (uint32_t n = 1 + chance(40); n > 0 && slot->out_len < 200000; n--) {
		size_t head = slot->batches ? L2_HEADER_LEN : 0;
		uint8_t *frame = message + WS_HEADER_MAX + head;
		struct offload offload = { 0 };
		size_t len = make_frame(slot, frame, &offload);
		uint8_t header[WS_HEADER_MAX];

		if (slot->batches)
			l2_write_header(frame - L2_HEADER_LEN, &offload, len);
		send_bytes(slot, header, ws_header(header, WS_BINARY, head + len, mask));
		send_bytes(slot, frame - head, head + len);
	}
}

static void send_nonsense(struct slot *slot)
{
	uint8_t bytes[300];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)chance(256);
	send_bytes(slot, bytes, chance(sizeof(bytes)));
}

static void check_frame(const struct slot *slot, const uint8_t *frame, size_t len)
{
	cr_assert(len >= 14 && len <= ETHERNET_FRAME_MAX, "%zu bytes", len);
	cr_assert(frame[5] == slot->member || frame[0] == 0xff || slot->member == 0,
		"for %d, to %d", frame[5], slot->member);
	cr_assert(frame[11] < MEMBERS && frame[11] != slot->member);
	n_received++;
}

static void check_message(struct slot *slot, const struct ws_message *message)
{
	struct l2_reader reader;
	struct l2_frame frame;
	enum l2_result result;

	if (message->opcode != WS_BINARY)
		return;
	slot->n_frames++;
	if (!slot->batches) {
		check_frame(slot, message->data, message->len);
		cr_assert(message->len <= 1514);
		return;
	}
	l2_reader_init(&reader, message->data, message->len);
	while ((result = l2_next(&reader, &frame)) == L2_FRAME)
		check_frame(slot, frame.data, frame.len);
	cr_assert_eq(result, L2_END);
}

/* Reads what is there. */
static void pull(struct slot *slot)
{
	struct ws_message message;
	enum ws_result result;
	size_t room;
	uint8_t *space = ws_reader_space(&slot->reader, &room);
	ssize_t n = recv(slot->fd, space, slot->greeted ? room : 1, 0);

	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		hang_up(slot);
		return;
	}
	if (n < 0)
		return;
	if (!slot->greeted) {
		static uint32_t last;

		last = last << 8 | *space;
		slot->greeted = last == 0x0d0a0d0a;
		return;
	}
	ws_reader_received(&slot->reader, (size_t)n);
	while ((result = ws_reader_next(&slot->reader, &message)) == WS_MESSAGE)
		check_message(slot, &message);
	cr_assert_neq(result, WS_BROKEN, "%s", slot->reader.why);
}

/* ---- the day ---- */

static void act(struct slot *slot)
{
	uint32_t dice = chance(1000);

	if (slot->fd < 0) {
		if (dice < 300)
			connect_one(slot);
		return;
	}
	if (dice < 25)
		hang_up(slot);
	else if (dice < 50)
		slot->stalled = !slot->stalled;
	else if (dice < 60)
		send_nonsense(slot);
	else if (dice < 200)
		flood(slot);
	else if (dice < 202)
		sessions_end_member(sessions, (char[]){ 'm', 'e', 'm', 'b', 'e', 'r', '-',
						      (char)('0' + chance(10)), '\0' });
}

static void serve(struct slot *slot)
{
	if (slot->fd >= 0 && slot->out_len > 0)
		push(slot);
	for (int i = 0; i < 200 && slot->fd >= 0 && !slot->greeted && !slot->stalled; i++)
		pull(slot);
	if (slot->fd >= 0 && !slot->stalled)
		pull(slot);
}

static size_t count_sessions(void)
{
	Dataplane__ListSessionsRequest request = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;
	Dataplane__SessionList list = DATAPLANE__SESSION_LIST__INIT;
	AUTO_ARENA arena = arena_create();

	sessions_list(sessions, TENANT, "node", &request, arena, &list);
	return list.n_items;
}

/* Nothing waits for anybody: then a frame arrives at once. */
static void expect_it_works(void)
{
	struct slot *from = &slots[0], *to = &slots[1];
	struct offload none = { 0 };
	uint8_t frame[2000], header[WS_HEADER_MAX];
	static const uint8_t mask[WS_MASK_LEN];

	for (struct slot *slot = slots; slot < slots + 2; slot++) {
		do {
			if (slot->fd >= 0)
				hang_up(slot);
			connect_one(slot);
			UNTIL((serve(slot), slot->fd < 0 || slot->greeted));
		} while (slot->fd < 0 || slot->batches || slot->member == 0 ||
			 (slot == to && to->member == from->member));
	}
	do {
		size_t len = make_frame(from, frame, &none);

		memcpy(frame, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)to->member }, 6);
		send_bytes(from, header, ws_header(header, WS_BINARY, len, mask));
		send_bytes(from, frame, len);
	} while (chance(3) > 0);
	to->n_frames = 0;
	UNTIL((serve(from), serve(to), to->n_frames > 0));
}

static void setup(void)
{
	log_open("soak", LOG_LEVEL_ERROR);
	net_setup();
	sessions = sessions_create();
	for (size_t i = 0; i < SLOTS; i++)
		slots[i].fd = -1;
}

static void teardown(void)
{
	net_teardown();
	sessions_destroy(sessions);
	packet_trim();
	fair_trim();
}

TestSuite(soak, .init = setup, .fini = teardown, .timeout = 120);

Test(soak, a_day_leaves_nothing_behind)
{
	for (int step = 0; step < STEPS; step++) {
		struct slot *slot = &slots[chance(SLOTS)];

		act(slot);
		serve(slot);
		if (step % 4 == 0)
			uv_run(&net_loop, UV_RUN_NOWAIT);
		cr_assert_lt(block_count(), 80, "blocks are held at step %d", step);
	}
	for (struct slot *slot = slots; slot < slots + SLOTS; slot++)
		if (slot->fd >= 0)
			hang_up(slot);
	UNTIL(count_sessions() == 0);
	cr_expect_gt(n_closed, 300, "%lu hung up", n_closed);
	cr_expect_gt(n_received, 10000, "%lu received", n_received);
	UNTIL(block_count() <= 1);
	expect_it_works();
	hang_up(&slots[0]);
	hang_up(&slots[1]);
	UNTIL(count_sessions() == 0);
}
