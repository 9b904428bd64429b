/*
 * ws_client: the plainest WebSocket client that tests a node: a blocking socket, the framing of
 * lib/ws, and enough roughness to send what no client should.
 */
#pragma once

#include "lib/ws.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define CLIENT_MESSAGE_MAX 1000000
#define CLIENT_PATIENCE_S  30

struct client {
	int fd;	    /* -1: no connection */
	int status; /* of HTTP */
	uint8_t *buf;
	struct ws_reader reader;
	unsigned close_status; /* 0: no close frame came */
	char close_reason[WS_CONTROL_MAX];
};

static int client_dial(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	const struct timeval patience = { .tv_sec = CLIENT_PATIENCE_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_geq(fd, 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The request of an upgrade; `authorization` may be "". */
static int client_request(char *out, size_t size, const char *path, const char *authorization)
{
	return snprintf(out, size,
		"GET %s HTTP/1.1\r\nHost: node\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
		"%s%s%s\r\n",
		path, *authorization ? "Authorization: " : "", authorization,
		*authorization ? "\r\n" : "");
}

/* Sends bytes; false if the peer is gone. */
static bool client_write(struct client *client, const void *data, size_t len)
{
	const char *next = data;

	while (len > 0) {
		ssize_t n = send(client->fd, next, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		next += n;
		len -= (size_t)n;
	}
	return true;
}

/* Reads the head of the answer byte by byte, so that nothing behind it is taken. */
static int client_read_status(int fd)
{
	char head[4096];
	size_t len = 0;

	while (len < sizeof(head) - 1 && recv(fd, head + len, 1, 0) == 1) {
		head[++len] = '\0';
		if (len >= 4 && strcmp(head + len - 4, "\r\n\r\n") == 0)
			return atoi(head + strlen("HTTP/1.1 "));
	}
	return 0;
}

/* Connects; client->status is 101, what it was refused with, or 0 if it was hung up on. */
static void client_open(
	struct client *client, uint16_t port, const char *path, const char *authorization)
{
	char request[8192];
	int len = client_request(request, sizeof(request), path, authorization);

	*client = (struct client){ .fd = client_dial(port) };
	cr_assert_geq(client->fd, 0);
	client->buf = malloc(WS_READER_CAPACITY(CLIENT_MESSAGE_MAX));
	ws_reader_init(&client->reader, WS_CLIENT, client->buf,
		WS_READER_CAPACITY(CLIENT_MESSAGE_MAX), CLIENT_MESSAGE_MAX);
	if (client_write(client, request, (size_t)len))
		client->status = client_read_status(client->fd);
}

static void client_close(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	free(client->buf);
	*client = (struct client){ .fd = -1 };
}

/* Sends one frame; a mask of zeroes leaves the payload as it is. */
static bool client_send(struct client *client, enum ws_opcode opcode, const void *data, size_t len)
{
	static const uint8_t mask[WS_MASK_LEN];
	uint8_t header[WS_HEADER_MAX];
	size_t header_len = ws_header(header, opcode, len, mask);

	return client_write(client, header, header_len) && client_write(client, data, len);
}

/* The next message; false when the connection has ended: see close_status. */
static bool client_receive(struct client *client, struct ws_message *message)
{
	for (;;) {
		enum ws_result result = ws_reader_next(&client->reader, message);
		uint8_t *space;
		size_t size;
		ssize_t n;

		cr_assert_neq(result, WS_BROKEN, "%s", client->reader.why);
		if (result == WS_MESSAGE && message->opcode == WS_CLOSE) {
			client->close_status = ws_close_status(message);
			if (message->len > 2)
				snprintf(client->close_reason, sizeof(client->close_reason), "%.*s",
					(int)message->len - 2, (const char *)message->data + 2);
			client_send(client, WS_CLOSE, message->data, message->len);
			return false;
		}
		if (result == WS_MESSAGE)
			return true;
		space = ws_reader_space(&client->reader, &size);
		n = recv(client->fd, space, size, 0);
		cr_assert(n >= 0 || errno != EAGAIN, "nothing came");
		if (n <= 0)
			return false;
		ws_reader_received(&client->reader, (size_t)n);
	}
}

/* Waits for the end of the connection, whatever comes before it, and gives the close frame's
 * status. */
static inline unsigned client_await_close(struct client *client)
{
	struct ws_message message;

	while (client_receive(client, &message))
		;
	return client->close_status;
}
