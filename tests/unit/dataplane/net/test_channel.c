/*
 * channel: the upgrade, messages both ways, control frames between them, and every way to close.
 */
#include "tests/unit/dataplane/net/net_fixture.h"

#include "dataplane/net/channel.h"

#include <stdarg.h>

#define UPGRADE                                                                                    \
	"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"               \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static struct channel *channel;
static struct channel_options options;
static unsigned refused;
static bool opened, closed, timed, hold_after_piece;
static char log_text[4096]; /* what was received */
static size_t to_send;	    /* bytes of text that fill has to write */
static int peer;

static void on_opened(struct channel *one)
{
	cr_assert_not_null(one->stream);
	opened = true;
}

static void on_received(struct channel *one, const struct channel_piece *piece)
{
	size_t len = strlen(log_text);

	snprintf(log_text + len, sizeof(log_text) - len, "%s%s%.*s%s", piece->first ? "<" : "",
		piece->text ? "t:" : "", (int)(piece->len < 20 ? piece->len : 20),
		(const char *)piece->data, piece->final ? ">" : "|");
	if (hold_after_piece)
		channel_hold(one, true);
}

static void on_fill(struct channel *one)
{
	static const char text[] = "0123456789";

	while (to_send > 0) {
		const struct iovec parts[] = {
			{ (void *)(uintptr_t)text, 3 },
			{ (void *)(uintptr_t)(text + 3), 7 },
		};

		if (!channel_write(one, WS_TEXT, true, parts, 2))
			return;
		to_send--;
	}
}

static void on_timer(struct channel *one)
{
	(void)one;
	timed = true;
}

static void on_closed(struct channel *one)
{
	(void)one;
	closed = true;
}

static const struct channel_face face = {
	.opened = on_opened,
	.received = on_received,
	.fill = on_fill,
	.timer = on_timer,
	.closed = on_closed,
};

static void on_asked(void *context, struct http *http)
{
	const char *why;

	(void)context;
	refused = channel_check(http, &why);
	if (refused) {
		http_answer(http, refused, why);
		return;
	}
	channel = channel_accept(http, &options);
	channel->face = &face;
	channel_open(channel);
}

static void ask(const char *request)
{
	static const struct http_face http_face = { .asked = on_asked };

	refused = 0;
	http_create(net_stream(NULL, NULL, &peer), &http_face, NULL);
	net_send(peer, request, strlen(request));
}

static void expect(const void *bytes, size_t len)
{
	uint8_t got[512];
	size_t n = net_receive(peer, got, len);

	cr_assert_eq(n, len, "%zu bytes in the place of %zu", n, len);
	cr_assert_eq(memcmp(got, bytes, len), 0, "%.*s", (int)len, (const char *)got);
}

#define EXPECT(bytes) expect(bytes, sizeof(bytes) - 1)
#define SEND(bytes)   net_send(peer, bytes, sizeof(bytes) - 1)
#define HEAD                                                                                       \
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"        \
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define MASK "\0\0\0\0"

static void begin(void)
{
	ask(UPGRADE "Sec-WebSocket-Version: 13\r\n\r\n");
	EXPECT(HEAD "\r\n");
	cr_assert(opened);
}

static void expect_end(void)
{
	uint8_t byte;

	cr_assert_eq(net_receive(peer, &byte, 1), 0);
	close(peer);
	UNTIL(closed);
}

static void teardown(void)
{
	net_teardown();
	cr_assert(closed || refused);
}

TestSuite(channel, .init = net_setup, .fini = teardown, .timeout = 60);

/* ---- the upgrade ---- */

Test(channel, refuses_what_is_no_upgrade)
{
	const struct {
		const char *request;
		unsigned want;
	} rows[] = {
		{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 426 },
		{ "POST / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		  "Sec-WebSocket-Key: x\r\n\r\n",
			405 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", 426 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", 426 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: "
		  "Upgrade\r\n\r\n",
			400 },
		{ UPGRADE "Sec-WebSocket-Version: 6\r\n\r\n", 426 },
		{ UPGRADE "Content-Length: 5\r\n\r\n", 400 },
		{ UPGRADE "Transfer-Encoding: chunked\r\n\r\n", 400 },
	};
	char reply[512];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ask(rows[i].request);
		UNTIL(refused);
		cr_expect_eq(refused, rows[i].want, "%s: %u", rows[i].request, refused);
		net_receive(peer, reply, sizeof(reply));
		close(peer);
	}
}

Test(channel, takes_the_request_of_vpn_ws_client)
{
	ask("GET /vpn HTTP/1.1\r\nHost: a:8443\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: AAAAAAAAAAAAAA==\r\nX-vpn-ws-MAC: 02:00:00:00:00:01\r\n\r\n");
	UNTIL(opened);
	SEND("\x89\x00"); /* its ping has no mask */
	SEND("\x82\x82" MASK "ab");
	UNTIL(*log_text);
	cr_assert_str_eq(log_text, "<ab>");
	close(peer);
	UNTIL(closed);
}

Test(channel, names_the_subprotocol)
{
	options.protocol = "lanyard.l2.v1";
	ask(UPGRADE "Sec-WebSocket-Protocol: other, lanyard.l2.v1\r\n\r\n");
	EXPECT(HEAD "Sec-WebSocket-Protocol: lanyard.l2.v1\r\n\r\n");
	close(peer);
	UNTIL(closed);
}

Test(channel, takes_frames_that_came_with_the_request)
{
	ask(UPGRADE "\r\n\x82\x82\x01\x01\x01\x01`c\x81\x81");
	UNTIL(*log_text);
	cr_assert_str_eq(log_text, "<ab>");
	SEND(MASK "c");
	UNTIL(strlen(log_text) > 4);
	cr_assert_str_eq(log_text, "<ab><t:c>");
	close(peer);
	UNTIL(closed);
}

Test(channel, is_quiet_until_the_client_spoke_or_time_has_passed)
{
	char byte;

	options.quiet_ms = 20000;
	begin();
	to_send = 1;
	channel_wake(channel);
	for (int i = 0; i < 20; i++)
		uv_run(&net_loop, UV_RUN_NOWAIT);
	cr_assert_eq(recv(peer, &byte, 1, 0), -1);
	SEND("\x82\x80" MASK);
	EXPECT("\x81\x0a"
	       "0123456789");
	close(peer);
	UNTIL(closed);
	closed = opened = false;
	options.quiet_ms = 5;
	begin();
	to_send = 1;
	channel_set_timer(channel, 1);
	channel_wake(channel);
	EXPECT("\x81\x0a"
	       "0123456789");
	UNTIL(timed);
	close(peer);
	UNTIL(closed);
}

Test(channel, pings_who_is_silent_again_and_again)
{
	begin();
	channel_keep_alive(channel, 5);
	channel_set_timer(channel, 2000000);
	EXPECT("\x89\x00\x89\x00");
	SEND("\x8a\x80" MASK);
	EXPECT("\x89\x00");
	cr_assert_not(timed);
	channel_keep_alive(channel, 0);
	SEND("\x82\x81" MASK "a");
	UNTIL(strcmp(log_text, "<a>") == 0);
	close(peer);
	UNTIL(closed);
}

/* ---- messages ---- */

Test(channel, gives_pieces_as_they_come)
{
	begin();
	SEND("\x01\x83" MASK "one"
	     "\x89\x82" MASK "hi"
	     "\x80\x83" MASK "two");
	EXPECT("\x8a\x02hi");
	cr_assert_str_eq(log_text, "<t:one|t:two>");
	*log_text = '\0';
	SEND("\x82\x85" MASK "abc");
	UNTIL(*log_text);
	SEND("de");
	UNTIL(strlen(log_text) > 5);
	cr_assert_str_eq(log_text, "<abc|de>");
	close(peer);
	UNTIL(closed);
}

Test(channel, gives_nothing_while_it_is_held)
{
	begin();
	hold_after_piece = true;
	SEND("\x82\x81" MASK "a\x82\x81" MASK "b");
	UNTIL(*log_text);
	for (int i = 0; i < 10; i++)
		uv_run(&net_loop, UV_RUN_NOWAIT);
	cr_assert_str_eq(log_text, "<a>");
	channel_hold(channel, false);
	UNTIL(strlen(log_text) > 3);
	cr_assert_str_eq(log_text, "<a><b>");
	close(peer);
	hold_after_piece = false;
	channel_hold(channel, false);
	UNTIL(closed);
}

Test(channel, writes_while_there_is_room_and_goes_on_later)
{
	enum { N = 200000 };
	uint8_t frame[12];

	begin();
	to_send = N;
	channel_wake(channel);
	for (int i = 0; i < N; i++) {
		cr_assert_eq(net_receive(peer, frame, 12), 12);
		cr_assert_eq(memcmp(frame,
				     "\x81\x0a"
				     "0123456789",
				     12),
			0);
	}
	cr_assert_eq(to_send, 0);
	close(peer);
	UNTIL(closed);
}

/* ---- closing ---- */

Test(channel, answers_a_close_and_hangs_up)
{
	begin();
	SEND("\x88\x84" MASK "\x03\xe9no");
	EXPECT("\x88\x02\x03\xe9");
	expect_end();
}

Test(channel, answers_a_close_without_a_code)
{
	begin();
	SEND("\x88\x80" MASK);
	EXPECT("\x88\x00");
	expect_end();
}

Test(channel, closes_and_waits_for_the_answer)
{
	begin();
	channel_close(channel, WS_STATUS_POLICY, "why");
	channel_close(channel, WS_STATUS_NORMAL, "again");
	to_send = 1;
	channel_wake(channel);
	EXPECT("\x88\x05\x03\xf0why");
	SEND("\x82\x81" MASK "a"); /* nobody listens */
	SEND("\x88\x82" MASK "\x03\xf0");
	expect_end();
	cr_assert_str_eq(log_text, "");
}

Test(channel, finishes_when_all_was_written)
{
	begin();
	to_send = 2;
	channel_wake(channel);
	channel_finish(channel, WS_STATUS_NORMAL, "");
	EXPECT("\x81\x0a"
	       "0123456789"
	       "\x81\x0a"
	       "0123456789"
	       "\x88\x02\x03\xe8");
	SEND("\x88\x82" MASK "\x03\xe8");
	expect_end();
}

Test(channel, says_goodbye_when_the_process_ends)
{
	begin();
	streams_close(net_streams, 20000, net_on_ended, NULL);
	EXPECT("\x88\x16\x03\xe9the node is stopping");
	SEND("\x88\x82" MASK "\x03\xe9");
	expect_end();
	UNTIL(net_has_ended);
	streams_destroy(net_streams);
	net_streams = streams_create(&net_loop);
	net_has_ended = false;
}

Test(channel, closes_on_broken_frames_with_their_code)
{
	const struct {
		const char *bytes;
		size_t len;
		unsigned code;
	} rows[] = {
#define ROW(bytes, code) { bytes, sizeof(bytes) - 1, code }
		ROW("\x82\x01"
		    "a",
			1002), /* no mask */
		ROW("\xc2\x80" MASK, 1002),
		ROW("\x83\x80" MASK, 1002),
		ROW("\x80\x80" MASK, 1002),
		ROW("\x02\x80" MASK "\x82\x80" MASK, 1002),
		ROW("\x09\x80" MASK, 1002),
		ROW("\x89\xfe\x00\x7e" MASK, 1002),
		ROW("\x82\xff\x80\0\0\0\0\0\0\0" MASK, 1002),
		ROW("\x82\xfe\0\x01" MASK "a", 1002),
		ROW("\x88\x81" MASK "\x03", 1002),
		ROW("\x88\x82" MASK "\x03\xed", 1002),
		ROW("\x81\x82" MASK "\xc3(", 1007),
		ROW("\x81\x81" MASK "\xc3", 1007),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t got[4];

		closed = opened = false;
		begin();
		net_send(peer, rows[i].bytes, rows[i].len);
		cr_assert_eq(net_receive(peer, got, 4), 4);
		cr_expect_eq(got[0], 0x88);
		cr_expect_eq(
			got[2] << 8 | got[3], rows[i].code, "row %zu: %u", i, got[2] << 8 | got[3]);
		close(peer);
		UNTIL(closed);
	}
}
