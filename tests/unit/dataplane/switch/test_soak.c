/*
 * soak: a day in the life of a node's sessions, in less than a minute: members that connect twice,
 * hang up, stop reading, flood, ping, send nonsense or half a request, come with old tokens and are
 * thrown out, at random, over real streams. Whatever a reader gets is whole and meant for it, pings
 * are answered, what takes too long ends in its time; each hour and in the end nothing is left that
 * should not be, and the switch still works.
 */
#include "tests/unit/dataplane/switch/soak_node.h"

#include "dataplane/net/channel.h"
#include "tests/frames.h"

enum { SLOTS = 24, STATIONS = 200, MESSAGE_MAX = L2_MESSAGE_MAX };

#define HOUR_MS	    (3600 * 1000LL)
#define DAY_MS	    (24 * HOUR_MS)
#define AGE_MS	    301000 /* a station that is silent for so long is forgotten */
#define PATIENCE_MS 20000  /* in which whatever is not right has ended: TLS, requests, closing */

/* A client. */
struct slot {
	int fd; /* -1: it is not there */
	int member;
	bool batches;
	bool stalled;
	bool greeted;	   /* has read the 101 */
	bool broken;	   /* has sent nonsense: nothing that follows is expected of it */
	int64_t doomed_ms; /* when a request that can't be good was begun; 0: it is good */
	uint32_t head;	   /* the last bytes of the answer's head */
	size_t head_len;
	uint32_t pinged, ponged;
	uint8_t *out; /* what the socket did not take */
	size_t out_len;
	uint8_t *buf;
	struct ws_reader reader;
	uint64_t n_frames;
};

static struct slot slots[SLOTS];
static uint64_t n_closed, n_received, n_pongs, n_refused;

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

/* One request in ten is not whole, one comes with a token that is over. */
static void connect_one(struct slot *slot)
{
	uint32_t dice = chance(10);
	AUTO_FREE char *token = NULL, *request = NULL;
	size_t len;

	slot->member = (int)chance(MEMBERS);
	slot->batches = chance(2) == 0;
	slot->buf = xmalloc(WS_READER_CAPACITY(MESSAGE_MAX));
	ws_reader_init(
		&slot->reader, WS_CLIENT, slot->buf, WS_READER_CAPACITY(MESSAGE_MAX), MESSAGE_MAX);
	http_create(net_stream(NULL, NULL, &slot->fd), &admit_face, &node);
	token = member_token(slot->member, dice == 0 ? 2 * TOKEN_S : 0);
	request = xasprintf("GET /l2 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
			    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
			    "%s%sAuthorization: Bearer %s\r\n\r\n",
		slot->batches ? "Sec-WebSocket-Protocol: " L2_PROTOCOL : "",
		slot->batches ? "\r\n" : "", token);
	len = strlen(request);
	if (dice == 1)
		len = chance((uint32_t)len);
	if (dice < 2)
		slot->doomed_ms = clock_ms();
	cr_assert_eq(send(slot->fd, request, len, 0), len);
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
	memcpy(frame + 6, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)slot->member }, 6);
	if (slot->member == BRIDGE && chance(4) == 0) /* of a station behind it */
		memcpy(frame + 6, (uint8_t[]){ 2, 0, 0, 0, 1, (uint8_t)chance(STATIONS) }, 6);
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
	slot->broken = true;
}

static void ping(struct slot *slot)
{
	uint8_t frame[WS_HEADER_MAX + WS_CONTROL_MAX];
	static const uint8_t mask[WS_MASK_LEN];

	slot->pinged++;
	send_bytes(
		slot, frame, ws_control(frame, WS_PING, &slot->pinged, sizeof(slot->pinged), mask));
}

/* Says goodbye, and waits for the answer or not. */
static void close_well(struct slot *slot)
{
	uint8_t frame[WS_HEADER_MAX + WS_CONTROL_MAX];
	static const uint8_t mask[WS_MASK_LEN];

	send_bytes(slot, frame, ws_close(frame, WS_STATUS_NORMAL, "", mask));
	slot->broken = true;
}

static void check_frame(const struct slot *slot, const uint8_t *frame, size_t len)
{
	cr_assert(len >= 14 && len <= ETHERNET_FRAME_MAX, "%zu bytes", len);
	cr_assert(frame[5] == slot->member || frame[0] == 0xff || slot->member == BRIDGE,
		"for %d, to %d", frame[5], slot->member);
	if (frame[10] == 0)
		cr_assert(frame[11] < MEMBERS && frame[11] != slot->member);
	else
		cr_assert(frame[11] < STATIONS && slot->member != BRIDGE);
	n_received++;
}

static void check_message(struct slot *slot, const struct ws_message *message)
{
	struct l2_reader reader;
	struct l2_frame frame;
	enum l2_result result;

	if (message->opcode == WS_PONG && !slot->broken) { /* nonsense may be a ping too */
		cr_assert_eq(message->len, sizeof(slot->ponged));
		memcpy(&slot->ponged, message->data, sizeof(slot->ponged));
		n_pongs++;
	}
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

/* "HTTP/1.1 101 ...": an event may have come before the request was read, which is refused then. */
static void take_head(struct slot *slot, uint8_t byte)
{
	if (slot->head_len++ == 9 && byte != '1' && slot->doomed_ms == 0)
		slot->doomed_ms = clock_ms();
	slot->head = slot->head << 8 | byte;
	slot->greeted = slot->head == 0x0d0a0d0a;
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
		take_head(slot, *space);
		return;
	}
	if (slot->doomed_ms != 0) { /* the sentence of a refusal */
		n_refused++;
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
	else if (slot->doomed_ms != 0) /* only waits */
		return;
	else if (dice < 60)
		send_nonsense(slot);
	else if (dice < 65)
		close_well(slot);
	else if (dice < 200)
		flood(slot);
	else if (dice < 300 && !slot->broken)
		ping(slot);
	else if (dice < 303)
		have_event((int)chance(MEMBERS));
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

static size_t serve_all(void)
{
	size_t n = 0;

	for (struct slot *slot = slots; slot < slots + SLOTS; slot++) {
		serve(slot);
		n += slot->fd >= 0;
	}
	return n;
}

/* Some time in which nobody says anything: all is answered, and who was doomed is gone. */
static void check_hour(void)
{
	for (struct slot *slot = slots; slot < slots + SLOTS; slot++)
		slot->stalled = false;
	for (int i = 0; i < 40; i++) {
		pass(PATIENCE_MS / 40);
		for (int k = 0; k < 10; k++) {
			uv_run(&net_loop, UV_RUN_NOWAIT);
			serve_all();
		}
	}
	for (struct slot *slot = slots; slot < slots + SLOTS; slot++) {
		UNTIL((serve(slot), slot->fd < 0 || slot->out_len == 0));
		cr_assert(slot->fd < 0 || slot->doomed_ms == 0, "a bad request is still there");
		UNTIL((serve(slot), slot->fd < 0 || slot->broken || slot->ponged == slot->pinged));
	}
	cr_assert_leq(count_sessions(MAC_LIMIT), serve_all());
	pass(AGE_MS);
	cr_assert_leq(count_sessions(1), serve_all(), "stations are forgotten");
	cr_assert_leq(block_count(), 1 + SLOTS);
}

static bool is_plain(const struct slot *slot)
{
	return slot->fd >= 0 && slot->doomed_ms == 0 && !slot->batches && slot->member != BRIDGE;
}

/* Nothing waits for anybody: then a frame arrives at once. */
static void expect_it_works(void)
{
	struct slot *from = &slots[0], *to = &slots[1];
	struct offload none = { 0 };
	uint8_t frame[2000], header[WS_HEADER_MAX];
	static const uint8_t mask[WS_MASK_LEN];

	do { /* anew for both: a second one of the same member would take the first one's place */
		for (struct slot *slot = slots; slot < slots + 2; slot++) {
			if (slot->fd >= 0)
				hang_up(slot);
			connect_one(slot);
			UNTIL((serve(slot), slot->fd < 0 || slot->greeted || slot->doomed_ms != 0));
		}
	} while (!is_plain(from) || !is_plain(to) || from->member == to->member);
	do {
		size_t len = make_frame(from, frame, &none);

		memcpy(frame, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)to->member }, 6);
		send_bytes(from, header, ws_header(header, WS_BINARY, len, mask));
		send_bytes(from, frame, len);
	} while (chance(3) > 0);
	to->n_frames = 0;
	UNTIL((serve(from), serve(to), to->n_frames > 0));
}

TestSuite(soak, .init = node_begin, .fini = node_end, .timeout = 300);

/* A moment, some seconds, or a few minutes. */
static int64_t some_time(void)
{
	uint32_t dice = chance(100);

	return dice < 70 ? chance(20) : dice < 95 ? chance(10000) : chance(180000);
}

static void live(int64_t until_ms)
{
	for (int step = 0; turned_ms < until_ms; step++) {
		struct slot *slot = &slots[chance(SLOTS)];

		act(slot);
		serve(slot);
		if (step % 4 == 0)
			pass(4 * some_time());
		cr_assert_lt(block_count(), 80, "blocks are held at step %d", step);
	}
}

Test(soak, a_day_leaves_nothing_behind)
{
	random_begin();
	for (struct slot *slot = slots; slot < slots + SLOTS; slot++)
		slot->fd = -1;
	while (turned_ms < DAY_MS) {
		live(turned_ms + HOUR_MS);
		check_hour();
		rotate_keys();
	}
	for (struct slot *slot = slots; slot < slots + SLOTS; slot++)
		if (slot->fd >= 0)
			hang_up(slot);
	UNTIL(count_sessions(MAC_LIMIT) == 0);
	cr_expect_gt(n_closed, 300, "%lu hung up", n_closed);
	cr_expect_gt(n_received, 10000, "%lu received", n_received);
	cr_expect_gt(n_pongs, 100, "%lu pongs", n_pongs);
	cr_expect_gt(n_refused, 10, "%lu bytes of refusals", n_refused);
	UNTIL(block_count() <= 1);
	expect_it_works();
	hang_up(&slots[0]);
	hang_up(&slots[1]);
	UNTIL(count_sessions(MAC_LIMIT) == 0);
}
