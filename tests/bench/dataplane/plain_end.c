/*
 * plain_end: what a vpn-ws client would be connected to if there were no VPN: one WebSocket, one
 * TAP, and nothing between them. How fast the client is here is the most that any server can give
 * it.
 *
 *   plain_end TAP ADDRESS PORT
 *
 * TAP exists. One client; ends with it.
 */
#include "lib/tap.h"
#include "lib/ws.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_SIZE	   (512 * 1024)
#define OUT_FRAMES 64
#define FRAME_SIZE 2048	  /* no offload: of a frame and its header */
#define QUIET_US   150000 /* the client loses what it reads together with the 101 */

static struct tap tap;
static struct ws_reader reader;
static uint8_t in[IN_SIZE];

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static int accept_client(const char *address, const char *port)
{
	struct sockaddr_in here = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)) };
	int on = 1, client, door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, address, &here.sin_addr);
	setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(door, (struct sockaddr *)&here, sizeof(here)) != 0 || listen(door, 1) != 0)
		die("listen");
	puts("ready");
	fflush(stdout);
	if ((client = accept(door, NULL, NULL)) < 0)
		die("accept");
	return client;
}

static void shake_hands(int client)
{
	static const char name[] = "Sec-WebSocket-Key: ";
	char head[8192] = "", key[64] = "", accept[WS_ACCEPT_SIZE], *found;
	size_t len = 0;
	ssize_t n;

	while (strstr(head, "\r\n\r\n") == NULL) {
		if ((n = read(client, head + len, sizeof(head) - 1 - len)) <= 0)
			die("handshake");
		len += (size_t)n;
	}
	if ((found = strstr(head, name)) == NULL ||
		sscanf(found + strlen(name), "%63[^\r]", key) != 1)
		die("key");
	ws_accept(key, accept);
	dprintf(client,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		accept);
	usleep(QUIET_US);
}

static void from_client(int client)
{
	struct ws_message message;
	size_t room;
	uint8_t *space = ws_reader_space(&reader, &room);
	ssize_t n = read(client, space, room);

	if (n <= 0)
		exit(EXIT_SUCCESS);
	ws_reader_received(&reader, (size_t)n);
	while (ws_reader_next(&reader, &message) == WS_MESSAGE)
		if (message.opcode == WS_BINARY)
			tap_write(&tap, NULL, message.data, message.len);
}

/* What the TAP has, in one piece. */
static void from_tap(int client)
{
	static uint8_t out[OUT_FRAMES * (WS_HEADER_MAX + FRAME_SIZE)];
	uint8_t bytes[TAP_HEADER_LEN + FRAME_SIZE];
	size_t len = 0;
	ssize_t frame;

	for (int i = 0; i < OUT_FRAMES; i++) {
		frame = tap_read(&tap, bytes, bytes + TAP_HEADER_LEN, FRAME_SIZE);
		if (frame <= 0)
			break;
		len += ws_header(out + len, WS_BINARY, (size_t)frame, NULL);
		memcpy(out + len, bytes + TAP_HEADER_LEN, (size_t)frame);
		len += (size_t)frame;
	}
	for (size_t sent = 0; sent < len;) {
		ssize_t n = write(client, out + sent, len - sent);

		if (n <= 0)
			exit(EXIT_SUCCESS);
		sent += (size_t)n;
	}
}

int main(int argc, char **argv)
{
	struct fault fault = { 0 };
	int client;

	if (argc != 4) {
		fprintf(stderr, "usage: plain_end TAP ADDRESS PORT\n");
		return 2;
	}
	if (tap_open(&tap, argv[1], true, &fault) != OK) {
		fprintf(stderr, "plain_end: %s\n", fault.detail);
		return EXIT_FAILURE;
	}
	client = accept_client(argv[2], argv[3]);
	shake_hands(client);
	/* As vpn-ws does: any mask or none, and pings without one. */
	ws_reader_init(&reader, WS_LAX_CLIENT, in, sizeof(in), TAP_FRAME_MAX);
	for (;;) {
		struct pollfd ends[] = { { client, POLLIN, 0 }, { tap.fd, POLLIN, 0 } };

		if (poll(ends, 2, -1) < 0)
			die("poll");
		if (ends[0].revents != 0)
			from_client(client);
		if (ends[1].revents != 0)
			from_tap(client);
	}
}
