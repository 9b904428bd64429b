/*
 * What members, their operators and strangers see of a node.
 */
#include "tests/component/node_fixture.h"

#include "proto/rendezvous.pb-c.h"

#include <dirent.h>

TestSuite(dataplane, .init = node_setup, .fini = node_teardown, .timeout = 120);

static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* Two members with a session each. */
struct two {
	struct device a, b;
	struct client of_a, of_b;
};

static void two_open(struct two *two)
{
	device_enrol(&two->a, "a");
	device_enrol(&two->b, "b");
	connect_as(&two->of_a, "/l2", two->a.bearer);
	connect_as(&two->of_b, "/l2", two->b.bearer);
	await_sessions(2);
}

static void two_close(struct two *two)
{
	client_close(&two->of_a);
	client_close(&two->of_b);
}

Test(dataplane, carries_frames_between_members)
{
	const size_t lengths[] = { 14, FRAME_LEN, 1514, 9000, 65535 };
	struct two two;

	two_open(&two);
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		send_frame(&two.of_b, two.a.mac, two.b.mac, 'x', lengths[i]);
		expect_frame(&two.of_a, two.b.mac, 'x', lengths[i]);
		send_frame(&two.of_a, broadcast, two.a.mac, 'y', lengths[i]);
		expect_frame(&two.of_b, two.a.mac, 'y', lengths[i]);
	}
	two_close(&two);
}

Test(dataplane, forwards_nothing_short_forged_or_astray)
{
	const uint8_t nobody[6] = { 2, 0, 0, 0, 0, 9 };
	struct two two;

	two_open(&two);
	cr_assert(client_send(&two.of_a, WS_BINARY, "", 0));
	cr_assert(client_send(&two.of_a, WS_BINARY, "thirteen byte", 13));
	send_frame(&two.of_a, two.b.mac, nobody, 'x', FRAME_LEN);
	send_frame(&two.of_a, two.b.mac, two.b.mac, 'x', FRAME_LEN);
	send_frame(&two.of_a, nobody, two.a.mac, 'x', FRAME_LEN);
	send_frame(&two.of_a, two.a.mac, two.a.mac, 'x', FRAME_LEN);
	send_frame(&two.of_a, two.b.mac, two.a.mac, 'z', FRAME_LEN);
	expect_frame(&two.of_b, two.a.mac, 'z', FRAME_LEN);
	two_close(&two);
}

Test(dataplane, closes_on_messages_that_are_no_frames)
{
	static const char large[65550];
	struct client client;
	struct device device;

	device_enrol(&device, "a");
	connect_as(&client, "/l2", device.bearer);
	cr_assert(client_send(&client, WS_TEXT, "text", 4));
	cr_assert_eq(client_await_close(&client), WS_STATUS_UNSUPPORTED);
	client_close(&client);
	connect_as(&client, "/l2", device.bearer);
	client_send(&client, WS_BINARY, large, sizeof(large));
	cr_assert_eq(client_await_close(&client), WS_STATUS_TOO_BIG);
	client_close(&client);
}

Test(dataplane, refuses_strangers_with_a_status)
{
	static char long_bearer[5000] = "Bearer ";
	struct device device;
	char tampered[4200];

	device_enrol(&device, "a");
	strcpy(tampered, device.bearer);
	tampered[strlen(tampered) / 2] ^= 1;
	memset(long_bearer + 7, 'a', sizeof(long_bearer) - 8);
	cr_assert_eq(status_of("/l2", ""), 401);
	cr_assert_eq(status_of("/l2", "Bearer x"), 401);
	cr_assert_eq(status_of("/l2", tampered), 401);
	cr_assert_eq(status_of("/l2", "Basic x"), 401);
	cr_assert_eq(status_of("/l2", "Digest x"), 401);
	cr_assert_eq(status_of("/l2", long_bearer), 431);
	cr_assert_eq(status_of("/pair", device.bearer), 400);
	cr_assert_eq(status_of("/pair?nonce=n", device.basic), 403);
}

static int status_of_request(const char *request)
{
	struct client client = { .fd = client_dial(port) };
	int status;

	cr_assert(client_write(&client, request, strlen(request)));
	status = client_read_status(client.fd);
	client_close(&client);
	return status;
}

#define UPGRADE "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"

Test(dataplane, answers_what_is_no_upgrade)
{
	cr_assert_eq(status_of_request("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 426);
	cr_assert_eq(status_of_request("GET / HTTP/1.1\r\n" UPGRADE "\r\n"), 400);
	cr_assert_eq(
		status_of_request("POST / HTTP/1.1\r\n" UPGRADE "Sec-WebSocket-Key: x\r\n\r\n"),
		405);
	cr_assert_eq(status_of_request("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
	cr_assert_eq(status_of_request("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n"
				       "Connection: Upgrade\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"),
		426);
	cr_assert_eq(status_of_request("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: other\r\n"
				       "Connection: Upgrade\r\n\r\n"),
		426);
	cr_assert_eq(status_of_request("GET / HTTP/1.1\r\n\r\n"), 400);
	cr_assert_eq(status_of_request("no HTTP\r\n\r\n"), 400);
}

Test(dataplane, takes_a_devices_own_credentials)
{
	struct client client, of_b;
	struct device a, b;
	char wrong[256];

	device_enrol(&a, "a");
	device_enrol(&b, "b");
	connect_as(&of_b, "/l2", b.bearer);
	connect_as(&client, "/any/path?network=office", a.basic);
	await_sessions(2);
	send_frame(&of_b, a.mac, b.mac, 'x', FRAME_LEN);
	expect_frame(&client, b.mac, 'x', FRAME_LEN);
	client_close(&client);

	strcpy(wrong, a.basic);
	wrong[60] = wrong[60] == 'A' ? 'B' : 'A';
	for (int i = 0; i < 2; i++) { /* asked for, and remembered */
		cr_assert_eq(status_of("/l2", wrong), 401);
		cr_assert_eq(status_of("/l2?network=nowhere", a.basic), 403);
	}
	client_close(&of_b);
}

Test(dataplane, gives_a_member_one_session_the_newest)
{
	struct client again;
	struct two two;

	two_open(&two);
	connect_as(&again, "/l2", two.a.bearer);
	cr_assert_eq(client_await_close(&two.of_a), WS_STATUS_POLICY);
	await_sessions(2);
	send_frame(&two.of_b, two.a.mac, two.b.mac, 'x', FRAME_LEN);
	expect_frame(&again, two.b.mac, 'x', FRAME_LEN);
	client_close(&again);
	two_close(&two);
}

Test(dataplane, ends_the_session_of_a_blocked_device_and_takes_its_token_no_more)
{
	struct two two;

	two_open(&two);
	device_block(&two.a);
	cr_assert_eq(client_await_close(&two.of_a), WS_STATUS_POLICY);
	cr_assert_eq(status_of("/l2", two.a.bearer), 401);
	await_sessions(1);
	two_close(&two);
}

static err_t close_session(const char *of_tenant, const char *id)
{
	Dataplane__CloseSessionRequest request = DATAPLANE__CLOSE_SESSION_REQUEST__INIT;
	const ProtobufCMessage *reply;
	struct call call;
	err_t err;

	request.id = (char *)(uintptr_t)id;
	err = fixture_call(&fixture, &call, of_tenant, &dataplane__dataplane__descriptor,
		"CloseSession", &request.base, &reply);
	call_finish(&call);
	return err;
}

Test(dataplane, lists_its_sessions_and_ends_one_when_told)
{
	Dataplane__ListSessionsRequest request = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;
	const char *const stranger = "018f0000-0000-7000-8000-0000000000ff";
	const Dataplane__SessionList *list;
	struct client client;
	struct device device;
	struct call call;
	char id[40];

	device_enrol(&device, "a");
	connect_as(&client, "/l2", device.bearer);
	await_sessions(1);
	list = ask(
		&call, stranger, &dataplane__dataplane__descriptor, "ListSessions", &request.base);
	cr_assert_eq(list->n_items, 0);
	call_finish(&call);
	list = ask(&call, tenant, &dataplane__dataplane__descriptor, "ListSessions", &request.base);
	cr_assert_eq(list->n_items, 1);
	cr_assert_str_eq(list->items[0]->network, network);
	cr_assert_str_eq(list->items[0]->subject + strlen("device:"), device.id);
	cr_assert_str_eq(list->items[0]->remote_address, "127.0.0.1");
	snprintf(id, sizeof(id), "%s", list->items[0]->id);
	call_finish(&call);

	cr_assert_eq(close_session(stranger, id), ERR_NOT_FOUND);
	cr_assert_eq(close_session(tenant, "none"), ERR_INVALID_ARGUMENT);
	cr_assert_eq(close_session(tenant, id), OK);
	cr_assert_eq(client_await_close(&client), WS_STATUS_POLICY);
	cr_assert_eq(close_session(tenant, id), ERR_NOT_FOUND);
	client_close(&client);
}

/* ---- pairs ---- */

static bool can_dial(void)
{
	int fd = client_dial(port);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void expect_message(
	struct client *client, enum ws_opcode opcode, const void *data, size_t len)
{
	struct ws_message message;

	cr_assert(client_receive(client, &message), "closed: %u %s", client->close_status,
		client->close_reason);
	cr_assert_eq(message.opcode, opcode);
	cr_assert_eq(message.len, len);
	cr_assert_eq(memcmp(message.data, data, len), 0);
}

Test(dataplane, joins_two_clients_of_one_token_and_nonce)
{
	static const char large[CLIENT_MESSAGE_MAX];
	struct client first, second, third;
	struct device device;

	device_enrol(&device, "a");
	connect_as(&first, "/pair?nonce=n", device.bearer);
	cr_assert(client_send(&first, WS_TEXT, "early", 5));
	connect_as(&second, "/pair?nonce=n", device.bearer);
	expect_message(&second, WS_TEXT, "early", 5);
	cr_assert(client_send(&second, WS_BINARY, large, sizeof(large)));
	expect_message(&first, WS_BINARY, large, sizeof(large));

	connect_as(&third, "/pair?nonce=n", device.bearer);
	cr_assert_eq(client_await_close(&third), WS_STATUS_POLICY);
	client_close(&third);

	cr_assert(client_send(&first, WS_BINARY, "last", 4));
	cr_assert(client_send(&first, WS_CLOSE, "\x03\xe8", 2)); /* 1000 */
	client_close(&first);
	expect_message(&second, WS_BINARY, "last", 4);
	cr_assert_eq(client_await_close(&second), WS_STATUS_NORMAL);
	client_close(&second);
}

static void close_every_pair(void)
{
	Rendezvous__ListRequest list_request = RENDEZVOUS__LIST_REQUEST__INIT;
	const Rendezvous__PairList *list;
	struct call list_call;

	list = ask(&list_call, tenant, &rendezvous__rendezvous__descriptor, "ListPairs",
		&list_request.base);
	cr_assert_eq(list->n_items, 1);
	for (size_t i = 0; i < list->n_items; i++) {
		Rendezvous__Ref request = RENDEZVOUS__REF__INIT;
		struct call call;

		request.id = list->items[i]->id;
		ask(&call, tenant, &rendezvous__rendezvous__descriptor, "ClosePair", &request.base);
		call_finish(&call);
	}
	call_finish(&list_call);
}

Test(dataplane, ends_a_pair_when_told)
{
	struct client first, second;
	struct device device;

	device_enrol(&device, "a");
	connect_as(&first, "/pair?nonce=n", device.bearer);
	connect_as(&second, "/pair?nonce=n", device.bearer);
	cr_assert(client_send(&first, WS_TEXT, "x", 1));
	expect_message(&second, WS_TEXT, "x", 1);
	close_every_pair();
	cr_assert_eq(client_await_close(&first), WS_STATUS_NORMAL);
	cr_assert_eq(client_await_close(&second), WS_STATUS_NORMAL);
	client_close(&first);
	client_close(&second);
}

static void restart_node(const char *setting)
{
	char listen[64];
	const char *const settings[] = { listen, setting, NULL };

	snprintf(listen, sizeof(listen), "LANYARD_LISTEN=127.0.0.1:%u", port);
	service_stop(services[3]);
	services[3] = service_start(&fixture, "dataplane", settings);
	AWAIT(can_dial());
	AWAIT(node_has_keys());
}

Test(dataplane, notices_a_client_of_a_pair_that_is_gone_without_a_word)
{
	struct client mute, alive;
	struct ws_message message;
	struct device device;
	int n_pings = 0;

	device_enrol(&device, "a");
	restart_node("LANYARD_PAIR_PING_S=1");
	connect_as(&mute, "/pair?nonce=n", device.bearer);
	connect_as(&alive, "/pair?nonce=n", device.bearer);
	cr_assert(client_send(&mute, WS_TEXT, "x", 1));
	expect_message(&alive, WS_TEXT, "x", 1);
	while (client_receive(&alive, &message)) {
		cr_assert_eq(message.opcode, WS_PING);
		cr_assert(client_send(&alive, WS_PONG, message.data, message.len));
		n_pings++;
	}
	cr_expect_gt(n_pings, 0);
	cr_expect_eq(alive.close_status, WS_STATUS_GOING_AWAY, "%s", alive.close_reason);
	cr_expect_str_eq(alive.close_reason, "the other end was cut off");
	client_close(&mute);
	client_close(&alive);
}

Test(dataplane, lets_so_many_wait_for_pairs_from_one_address)
{
	struct client first, second, member;
	struct device device;

	device_enrol(&device, "a");
	restart_node("LANYARD_PAIR_PER_ADDRESS=2");
	connect_as(&first, "/pair?nonce=1", device.bearer);
	connect_as(&second, "/pair?nonce=2", device.bearer);
	cr_assert_eq(status_of("/pair?nonce=3", device.bearer), 429);
	connect_as(&member, "/l2", device.bearer);
	client_close(&first);
	AWAIT(status_of("/pair?nonce=3", device.bearer) == 101);
	client_close(&second);
	client_close(&member);
}

/* ---- bad neighbours ---- */

static uint64_t dropped_of(const struct device *device)
{
	Dataplane__ListSessionsRequest request = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;
	const Dataplane__SessionList *list;
	uint64_t dropped = 0;
	struct call call;

	list = ask(&call, tenant, &dataplane__dataplane__descriptor, "ListSessions", &request.base);
	for (size_t i = 0; i < list->n_items; i++)
		if (strstr(list->items[i]->subject, device->id))
			dropped = list->items[i]->dropped_frames;
	call_finish(&call);
	return dropped;
}

Test(dataplane, lets_no_slow_reader_delay_the_others)
{
	struct client of_c;
	struct device c;
	struct two two;

	two_open(&two);
	device_enrol(&c, "c");
	connect_as(&of_c, "/l2", c.bearer);
	await_sessions(3);
	/* a never reads: until its frames are dropped, and no longer */
	for (int i = 0; i % 64 != 0 || dropped_of(&two.a) == 0; i++)
		send_frame(&two.of_b, two.a.mac, two.b.mac, 'x', 65535);
	send_frame(&two.of_b, c.mac, two.b.mac, 'y', FRAME_LEN);
	expect_frame(&of_c, two.b.mac, 'y', FRAME_LEN);
	client_close(&of_c);
	two_close(&two);
}

static size_t count_descriptors(void)
{
	char path[64];
	size_t n = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)NODE);
	folder = opendir(path);
	cr_assert_not_null(folder);
	while (readdir(folder))
		n++;
	closedir(folder);
	return n;
}

/* Hangs up after each number of bytes of a handshake and a frame, with FIN and with RST. */
Test(dataplane, survives_clients_that_hang_up_anywhere)
{
	const struct linger by_reset = { .l_onoff = 1 };
	struct device device;
	char bytes[8192];
	size_t before, len;

	device_enrol(&device, "a");
	len = (size_t)client_request(bytes, sizeof(bytes), "/l2", device.bearer);
	memcpy(bytes + len, "\x82\x8e\0\0\0\0\xff\xff\xff\xff\xff\xff", 12);
	memcpy(bytes + len + 12, device.mac, 6);
	len += 20;
	await_sessions(0);
	before = count_descriptors();
	for (size_t cut = 0; cut <= len; cut++) {
		struct client client = { .fd = client_dial(port) };

		cr_assert_geq(client.fd, 0);
		client_write(&client, bytes, cut);
		if (cut % 2)
			setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &by_reset, sizeof(by_reset));
		client_close(&client);
	}
	await_sessions(0);
	AWAIT(count_descriptors() <= before + 16); /* the pool of the bus may have grown */
}

Test(dataplane, says_goodbye_when_it_stops)
{
	struct client client;
	struct device device;

	device_enrol(&device, "a");
	connect_as(&client, "/l2", device.bearer);
	await_sessions(1);
	kill(NODE, SIGTERM);
	cr_assert_eq(client_await_close(&client), WS_STATUS_GOING_AWAY);
	client_close(&client);
	service_stop(NODE);
	NODE = 0;
}
