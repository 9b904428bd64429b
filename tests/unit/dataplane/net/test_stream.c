/*
 * stream: what is given to the face and when, what it writes, and how it ends; with TLS the same.
 */
#include "tests/unit/dataplane/net/net_fixture.h"

#include "lib/tls.h"
#include "lib/tls_server.h"

#include <stdlib.h>

/* Takes whole lines, and writes what `to_send` has. */
struct user {
	struct stream *stream;
	char lines[256]; /* what was taken */
	size_t n_given;	 /* calls of received */
	size_t most;	 /* bytes that were given at once */
	const uint8_t *to_send;
	size_t left, part, written_at_once;
	bool hold_after_line, ends, answers_end;
	bool opened, ended, closed, timed;
	char why[128];
};

static struct user user;
static int peer;
static struct stream *stream;

static void on_opened(struct stream *one)
{
	((struct user *)stream_owner(one))->opened = true;
}

static size_t on_received(struct stream *one, const struct stream_bytes *bytes)
{
	struct user *self = stream_owner(one);
	const uint8_t *end = memchr(bytes->data, '\n', bytes->len);
	size_t len = end ? (size_t)(end - bytes->data) + 1 : 0;

	self->n_given++;
	if (bytes->len > self->most)
		self->most = bytes->len;
	if (len > 0 && strlen(self->lines) + len < sizeof(self->lines))
		strncat(self->lines, (const char *)bytes->data, len);
	if (len > 0 && self->hold_after_line)
		stream_hold(one, true);
	return len;
}

static void on_ended(struct stream *one)
{
	struct user *self = stream_owner(one);

	self->ended = true;
	if (!self->answers_end)
		stream_close(one);
}

static void on_fill(struct stream *one)
{
	struct user *self = stream_owner(one);
	size_t before = self->left;

	while (self->left > 0) {
		size_t n = self->part < self->left ? self->part : self->left;
		const struct iovec parts[] = {
			{ (void *)(uintptr_t)self->to_send, n / 2 },
			{ (void *)(uintptr_t)(self->to_send + n / 2), n - n / 2 },
		};

		if (!stream_write(one, parts, 2))
			break;
		self->to_send += n;
		self->left -= n;
	}
	if (before - self->left > self->written_at_once)
		self->written_at_once = before - self->left;
	if (self->left == 0 && self->ends)
		stream_finish(one);
}

static void on_timer(struct stream *one)
{
	((struct user *)stream_owner(one))->timed = true;
}

static void on_closed(struct stream *one)
{
	struct user *self = stream_owner(one);

	self->closed = true;
	snprintf(self->why, sizeof(self->why), "%s", stream_why(one) ? stream_why(one) : "");
}

static const struct stream_face face = {
	.opened = on_opened,
	.received = on_received,
	.ended = on_ended,
	.fill = on_fill,
	.timer = on_timer,
	.closed = on_closed,
};

static void setup(void)
{
	net_setup();
	user = (struct user){ .part = 1000 };
	stream = net_stream(&face, &user, &peer);
}

static void teardown(void)
{
	net_teardown();
	cr_assert(user.closed);
	close(peer);
}

TestSuite(stream, .init = setup, .fini = teardown, .timeout = 60);

/* ---- receiving ---- */

Test(stream, gives_what_was_not_taken_again_in_one_piece_with_what_follows)
{
	net_send(peer, "one\ntw", 6);
	UNTIL(user.n_given == 2);
	cr_assert_str_eq(user.lines, "one\n");
	net_send(peer, "o\n", 2);
	UNTIL(user.n_given == 3);
	cr_assert_str_eq(user.lines, "one\ntwo\n");
	cr_assert_eq(user.most, 6);
}

Test(stream, gives_nothing_while_it_is_held)
{
	user.hold_after_line = true;
	net_send(peer, "one\ntwo\nthree\n", 14);
	UNTIL(user.n_given == 1);
	net_send(peer, "four\n", 5);
	for (int i = 0; i < 10; i++)
		uv_run(&net_loop, UV_RUN_NOWAIT);
	cr_assert_str_eq(user.lines, "one\n");
	user.hold_after_line = false;
	stream_hold(stream, false);
	UNTIL(user.n_given == 4);
	cr_assert_str_eq(user.lines, "one\ntwo\nthree\nfour\n");
}

Test(stream, closes_when_more_came_than_its_face_wants)
{
	static const uint8_t endless[STREAM_REST_MAX];
	size_t sent = 0;

	while (!user.closed && sent < 10 * sizeof(endless)) {
		ssize_t n = send(peer, endless, sizeof(endless), MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		uv_run(&net_loop, UV_RUN_NOWAIT);
	}
	UNTIL(user.closed);
	cr_assert_neq(*user.why, '\0');
}

static size_t take_line_for_next(struct stream *one, const struct stream_bytes *bytes)
{
	size_t taken = on_received(one, bytes);

	if (taken > 0)
		stream_set_face(one, &face, &user);
	return taken;
}

Test(stream, hands_the_rest_to_its_next_face)
{
	static const struct stream_face first = { .received = take_line_for_next };
	static struct user other;

	stream_set_face(stream, &first, &other);
	net_send(peer, "for the first\nfor the second\n", 29);
	UNTIL(*user.lines);
	cr_assert_str_eq(other.lines, "for the first\n");
	cr_assert_str_eq(user.lines, "for the second\n");
}

Test(stream, keeps_the_block_of_who_has_a_reference)
{
	struct block *block = block_new();

	block->used = 10;
	block_ref(block);
	block_unref(block);
	cr_assert_eq(block->refs, 1);
	block_unref(block);
	block = block_new();
	cr_assert_eq(block->used, 0);
	block_unref(block);
}

/* ---- sending ---- */

#define LOAD (3 * 1024 * 1024)

static uint8_t load[LOAD], got[LOAD + 1];

static void make_load(void)
{
	for (size_t i = 0; i < LOAD; i++)
		load[i] = (uint8_t)(i * 7 + i / 251);
	user.to_send = load;
	user.left = LOAD;
}

Test(stream, sends_all_in_order_whatever_the_parts)
{
	const size_t parts[] = { 1000, 20000, 8192, 300000 };

	make_load();
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		user.to_send = load;
		user.left = i == 0 ? LOAD / 10 : LOAD;
		user.part = parts[i];
		size_t len = user.left;

		stream_wake(stream);
		memset(got, 0, sizeof(got));
		cr_assert_eq(net_receive(peer, got, len), len);
		cr_assert_eq(memcmp(got, load, len), 0);
	}
}

Test(stream, asks_for_no_more_than_the_socket_takes)
{
	make_load();
	user.part = 5000;
	stream_wake(stream);
	for (int i = 0; i < 50; i++)
		uv_run(&net_loop, UV_RUN_NOWAIT);
	cr_assert_leq(user.written_at_once, STREAM_FILL_MAX + user.part);
	cr_assert_gt(user.left, LOAD / 2);
}

Test(stream, ends_each_direction_by_itself)
{
	char end[8];

	user.answers_end = true;
	cr_assert_eq(shutdown(peer, SHUT_WR), 0);
	UNTIL(user.ended);
	cr_assert_not(user.closed);
	user.to_send = (const uint8_t *)"goodbye";
	user.left = 7;
	user.ends = true;
	stream_wake(stream);
	cr_assert_eq(net_receive(peer, end, 8), 7);
	cr_assert_eq(memcmp(end, "goodbye", 7), 0);
	UNTIL(user.closed);
}

Test(stream, tells_why_the_peer_is_gone)
{
	make_load();
	close(peer);
	peer = -1;
	stream_wake(stream);
	UNTIL(user.closed);
}

Test(stream, calls_its_timer)
{
	stream_set_timer(stream, 1);
	UNTIL(user.timed);
}

/* ---- TLS ---- */

static char folder[] = "/tmp/lanyard-stream-XXXXXX";
static struct tls_server *server;
static struct tls_identity identity;
static struct tls_trust *trust;
static struct tls *client;

static char *read_file(const char *path)
{
	char *text = xcalloc(1, 16384);
	FILE *file = fopen(path, "re");

	cr_assert_not_null(file);
	cr_assert_gt(fread(text, 1, 16383, file), 0);
	fclose(file);
	return text;
}

static void tls_setup(void)
{
	struct tls_server_options options = { .identities = &identity, .n_identities = 1 };
	AUTO_FREE char *command = NULL, *pem = NULL;
	struct fault fault;

	setup();
	cr_assert_not_null(mkdtemp(folder));
	identity.cert = xasprintf("%s/cert.pem", folder);
	identity.key = xasprintf("%s/key.pem", folder);
	command = xasprintf("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
			    "-subj /CN=node.test -addext subjectAltName=DNS:node.test -keyout %s "
			    "-out %s 2>/dev/null",
		identity.key, identity.cert);
	cr_assert_eq(system(command), 0);
	cr_assert_eq(tls_server_create(&server, &options, &fault), OK);
	pem = read_file(identity.cert);
	cr_assert_eq(tls_trust_create(&trust, pem, &fault), OK);
}

static void tls_teardown(void)
{
	tls_destroy(client);
	peer = -1;
	net_teardown();
	cr_assert(user.closed);
	tls_trust_destroy(trust);
	tls_server_destroy(server);
	unlink(identity.cert);
	unlink(identity.key);
	rmdir(folder);
	free((char *)(uintptr_t)identity.cert);
	free((char *)(uintptr_t)identity.key);
}

TestSuite(stream_tls, .init = tls_setup, .fini = tls_teardown, .timeout = 60);

static void client_begin(void)
{
	client = tls_create(trust, peer, "node.test");
}

static void client_shake_hands(void)
{
	enum tls_result result = TLS_READ;

	UNTIL((result = tls_handshake(client)) != TLS_READ && result != TLS_WRITE);
	cr_assert_eq(result, TLS_OK, "%s", tls_why(client));
	UNTIL(user.opened);
}

static void client_send(const char *text)
{
	size_t n;

	cr_assert_eq(tls_write(client, (const uint8_t *)text, strlen(text), &n), TLS_OK);
	UNTIL(tls_flush(client) == TLS_OK);
}

/* Reads until there are `len` bytes; what ended it. */
static enum tls_result client_receive(uint8_t *out, size_t len, size_t *have)
{
	enum tls_result result = TLS_READ;
	int64_t late_ms = clock_ms() + NET_PATIENCE_MS;
	size_t n;

	for (*have = 0; *have < len && clock_ms() < late_ms;) {
		result = tls_read(client, out + *have, len - *have, &n);
		if (result == TLS_OK)
			*have += n;
		else if (result != TLS_READ)
			break;
		uv_run(&net_loop, UV_RUN_NOWAIT);
	}
	return result;
}

Test(stream_tls, carries_both_ways_and_ends_properly)
{
	size_t have;

	stream_secure(stream, server);
	client_begin();
	client_shake_hands();
	client_send("one\ntw");
	client_send("o\n");
	UNTIL(strlen(user.lines) == 8);
	cr_assert_str_eq(user.lines, "one\ntwo\n");
	make_load();
	user.ends = true;
	user.part = 3000;
	stream_wake(stream);
	cr_assert_eq(client_receive(got, LOAD + 1, &have), TLS_CLOSED);
	cr_assert_eq(have, LOAD);
	cr_assert_eq(memcmp(got, load, LOAD), 0);
	tls_end(client);
	UNTIL(tls_flush(client) == TLS_OK);
	UNTIL(user.closed);
}

Test(stream_tls, sends_short_records_and_long_parts)
{
	size_t have;

	stream_set_record_max(stream, 8192);
	stream_secure(stream, server);
	client_begin();
	client_shake_hands();
	make_load();
	user.part = 70001;
	stream_wake(stream);
	client_receive(got, LOAD, &have);
	cr_assert_eq(have, LOAD);
	cr_assert_eq(memcmp(got, load, LOAD), 0);
}

Test(stream_tls, gives_nothing_while_it_is_held)
{
	stream_secure(stream, server);
	client_begin();
	client_shake_hands();
	user.hold_after_line = true;
	client_send("one\n");
	client_send("two\n");
	UNTIL(user.n_given == 1);
	client_send("three\n");
	for (int i = 0; i < 10; i++)
		uv_run(&net_loop, UV_RUN_NOWAIT);
	cr_assert_str_eq(user.lines, "one\n");
	tls_end(client);
	UNTIL(tls_flush(client) == TLS_OK);
	user.hold_after_line = false;
	stream_hold(stream, false);
	UNTIL(user.ended);
	cr_assert_str_eq(user.lines, "one\ntwo\nthree\n");
}

static size_t secure_after_line(struct stream *one, const struct stream_bytes *bytes)
{
	size_t taken = on_received(one, bytes);

	if (taken > 0) {
		stream_set_face(one, &face, &user);
		stream_secure(one, server);
	}
	return taken;
}

Test(stream_tls, may_begin_after_other_bytes)
{
	static const struct stream_face first = { .received = secure_after_line };
	static struct user other;
	enum tls_result result;

	stream_set_face(stream, &first, &other);
	cr_assert_eq(send(peer, "PROXY\n", 6, 0), 6);
	client_begin();
	result = tls_handshake(client); /* its first message follows in the same read */
	cr_assert(result == TLS_READ || result == TLS_WRITE);
	client_shake_hands();
	client_send("one\n");
	UNTIL(*user.lines);
	cr_assert_str_eq(other.lines, "PROXY\n");
}

Test(stream_tls, tells_what_is_no_tls)
{
	stream_secure(stream, server);
	net_send(peer, "GET / HTTP/1.1\r\n\r\n", 18);
	UNTIL(user.closed);
	cr_assert_neq(*user.why, '\0');
	cr_assert_not(user.opened);
	close(peer);
}
