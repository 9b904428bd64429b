/*
 * upload: what an agent does with the frames of its TAP: over real sockets, of which the TAP is one
 * that keeps packets apart and the connection to the node one that may take nothing.
 */
#include "agents/pump/upload.h"

#include "lib/clock.h"
#include "lib/frames/block.h"
#include "lib/l2.h"
#include "lib/mem.h"
#include "tests/frames.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TCP = 40001, PING = 40002, LIMIT_MS = 60000 };

static struct tap tap;
static struct upload upload;
static int kernel, node; /* the other ends */
static struct ws_reader reader;
static uint8_t buf[WS_READER_CAPACITY(L2_MESSAGE_MAX)];

static int pair(int type, int *other)
{
	int ends[2];

	cr_assert_eq(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, ends), 0);
	*other = ends[1];
	return ends[0];
}

static void begin(bool batches, uint32_t mtu)
{
	tap = (struct tap){ .fd = pair(SOCK_SEQPACKET, &kernel), .offload = batches };
	upload = (struct upload){ .carrier = carrier_create(pair(SOCK_STREAM, &node), NULL, ""),
		.tap = &tap,
		.batches = batches,
		.mtu = mtu };
	upload_init(&upload);
	ws_reader_init(&reader, WS_SERVER, buf, sizeof(buf), batches ? L2_MESSAGE_MAX : 65549);
}

static void finish(void)
{
	upload_finish(&upload);
	carrier_destroy(upload.carrier);
	close(tap.fd);
	close(kernel);
	close(node);
	cr_expect_eq(block_count(), 0);
	fair_trim();
	packet_trim();
	block_trim();
}

/* The kernel sends a datagram from a port. */
static void give(uint16_t port, size_t payload)
{
	uint8_t bytes[TAP_HEADER_LEN + 2000] = { 0 };
	size_t len = frame_make(bytes + TAP_HEADER_LEN,
		&(struct frame_wish){ 4, IP_UDP, .source_port = port, .payload = payload });

	cr_assert_geq(write(kernel, bytes, TAP_HEADER_LEN + len), 0, "%m");
	cr_assert_eq(upload_read(&upload), 0);
}

/* The port that a frame that arrived is from. */
static uint16_t port_of(const uint8_t *frame, size_t len)
{
	struct ethernet at;

	ethernet_parse(frame, len, &at);
	cr_assert_eq(at.protocol, IP_UDP);
	return bytes_be16(frame + at.transport);
}

/* The next message of what the node can have now. */
static bool node_reads(struct ws_message *message)
{
	enum ws_result got;

	while ((got = ws_reader_next(&reader, message)) == WS_MORE) {
		size_t room;
		uint8_t *space = ws_reader_space(&reader, &room);
		ssize_t n = read(node, space, room);

		if (n <= 0)
			return false;
		ws_reader_received(&reader, (size_t)n);
	}
	cr_assert_eq(got, WS_MESSAGE, "%s", reader.why);
	return true;
}

/* Sends and reads until nothing waits, and notes the ports of the frames as they come. */
static size_t drain(uint16_t *ports, size_t max)
{
	struct ws_message message;
	struct l2_reader frames;
	struct l2_frame frame;
	size_t n = 0;

	do {
		cr_assert_neq(upload_write(&upload), TLS_FAILED);
		while (node_reads(&message)) {
			cr_assert_eq(message.opcode, WS_BINARY);
			if (!upload.batches) {
				cr_assert_lt(n, max);
				ports[n++] = port_of(message.data, message.len);
				continue;
			}
			l2_reader_init(&frames, message.data, message.len);
			while (l2_next(&frames, &frame) == L2_FRAME) {
				cr_assert_lt(n, max);
				ports[n++] = port_of(frame.data, frame.len);
			}
		}
	} while (upload_waits(&upload));
	return n;
}

/* The connection takes no more. */
static void block(void)
{
	while (!upload.blocked) {
		give(TCP, 1400);
		cr_assert_neq(upload_write(&upload), TLS_FAILED);
	}
}

Test(upload, brings_frames_as_batches_and_as_messages)
{
	for (int batches = 0; batches < 2; batches++) {
		uint16_t ports[64];

		begin(batches, 1400);
		for (uint16_t i = 0; i < 50; i++)
			give((uint16_t)(1000 + i % 2), i);
		cr_expect_eq(drain(ports, 64), 50);
		cr_expect_eq(upload.fair.n, 0);
		finish();
	}
}

/* While the connection takes nothing, the TAP is read on; a flow that sends little overtakes. */
Test(upload, lets_a_ping_overtake_what_waits)
{
	static uint16_t ports[4000];
	size_t n, at = 0;

	begin(true, 1400);
	block();
	for (int i = 0; i < 300; i++)
		give(TCP, 1400);
	give(PING, 56);
	n = drain(ports, 4000);
	while (at < n && ports[at] != PING)
		at++;
	cr_expect_gt(n - at, 200, "%zu frames, the ping was number %zu", n, at);
	finish();
}

Test(upload, is_bounded_and_says_what_it_dropped)
{
	static uint16_t ports[8000];

	begin(true, 1400);
	block();
	for (int i = 0; i < 3000; i++)
		give(TCP, 1400);
	cr_expect_leq(upload.fair.bytes, FAIR_BYTES_MAX);
	cr_expect_gt(upload.fair.dropped_full, 0);
	cr_expect_eq(drain(ports, 8000) + upload.fair.dropped_full + upload.fair.dropped_late,
		tap.frames_out);
	finish();
}

/* Who lets frames wait for too long loses some, long before there is no room. */
Test(upload, thins_out_who_waits)
{
	int64_t until = clock_ms() + LIMIT_MS;
	struct ws_message message;

	begin(true, 1400);
	block();
	while (upload.fair.dropped_late == 0 && clock_ms() < until) {
		while (upload.fair.n < 400)
			give(TCP, 1400);
		cr_assert_neq(upload_write(&upload), TLS_FAILED);
		if (node_reads(&message))
			usleep(10000); /* a slow way */
	}
	cr_expect_gt(upload.fair.dropped_late, 0);
	cr_expect_eq(upload.fair.dropped_full, 0);
	finish();
}

Test(upload, lowers_the_segment_size_to_the_networks)
{
	uint8_t bytes[TAP_HEADER_LEN + 200] = { 0 };
	struct frame_wish wish = { 4, IP_TCP, .tcp_options = 4, .tcp_flags = 0x02 };
	size_t len = frame_make(bytes + TAP_HEADER_LEN, &wish);
	struct ws_message message;

	memcpy(bytes + TAP_HEADER_LEN + 34 + 20, "\2\4\x05\xb4", 4);
	begin(false, 1400);
	cr_assert_geq(write(kernel, bytes, TAP_HEADER_LEN + len), 0);
	cr_assert_eq(upload_read(&upload), 0);
	cr_assert_eq(upload_write(&upload), TLS_OK);
	cr_assert(node_reads(&message));
	cr_expect_eq(bytes_be16(message.data + 34 + 22), 1360);
	finish();
}

/* After the close frame nothing may follow. */
Test(upload, sends_nothing_behind_a_close)
{
	struct ws_message message;
	enum ws_opcode last = WS_BINARY;

	begin(true, 1400);
	block();
	give(PING, 56);
	cr_expect_eq(upload_close(&upload, WS_STATUS_NORMAL, ""), TLS_WRITE);
	do {
		cr_assert_neq(upload_write(&upload), TLS_FAILED);
		while (node_reads(&message)) {
			cr_expect_eq(last, WS_BINARY);
			last = message.opcode;
		}
	} while (upload_waits(&upload));
	cr_expect_eq(last, WS_CLOSE);
	finish();
}

/* A checksum that would lie behind its frame. */
Test(upload, drops_a_frame_whose_header_does_not_fit)
{
	uint8_t bytes[TAP_HEADER_LEN + 60] = { OFFLOAD_NEEDS_CHECKSUM, 0, 0, 0, 0, 0, 200 };

	begin(true, 1400);
	cr_assert_geq(write(kernel, bytes, sizeof(bytes)), 0);
	cr_assert_eq(upload_read(&upload), 0);
	cr_expect_eq(tap.dropped, 1);
	cr_expect_not(upload_waits(&upload));
	finish();
}
