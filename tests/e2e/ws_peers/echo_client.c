/*
 * echo_client PORT: the agent's end of WebSocket (lib/ws.h) that sends back each message of the
 * server at that port. In the end it prints how the connection was closed: the code of the close
 * frame that came, or "broken" with the code that it sent.
 * echo_client PORT CODE: sends the messages of lengths.h and wants each of them back, then closes
 * with the code, and prints that of the answer.
 */
#include "agents/upgrade.h"
#include "agents/url.h"
#include "lib/mem.h"
#include "lib/ws.h"
#include "tests/e2e/ws_peers/lengths.h"

#include <sodium.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX (16 * 1024 * 1024)

struct peer {
	int fd;
	struct ws_reader reader;
	uint8_t mask[WS_MASK_LEN];
};

static void send_all(struct peer *peer, const void *data, size_t len)
{
	const uint8_t *next = data;

	while (len > 0) {
		ssize_t n = send(peer->fd, next, len, MSG_NOSIGNAL);

		if (n <= 0)
			exit(EXIT_FAILURE);
		next += n;
		len -= (size_t)n;
	}
}

static void send_back(struct peer *peer, const struct ws_message *message)
{
	uint8_t header[WS_HEADER_MAX];
	enum ws_opcode opcode = message->opcode == WS_PING ? WS_PONG : message->opcode;

	randombytes_buf(peer->mask, sizeof(peer->mask));
	send_all(peer, header, ws_header(header, opcode, message->len, peer->mask));
	ws_mask(message->data, message->len, peer->mask);
	send_all(peer, message->data, message->len);
}

/* ---- sending back ---- */

/* True: the connection is over. */
static bool take(struct peer *peer)
{
	uint8_t frame[WS_HEADER_MAX + WS_CONTROL_MAX];
	struct ws_message message;
	enum ws_result result;
	unsigned status;

	while ((result = ws_reader_next(&peer->reader, &message)) == WS_MESSAGE) {
		if (message.opcode == WS_PONG)
			continue;
		if (message.opcode != WS_CLOSE) {
			send_back(peer, &message);
			continue;
		}
		status = ws_close_status(&message);
		send_all(peer, frame, ws_close(frame, status, "", peer->mask));
		printf("closed %u\n", status);
		return true;
	}
	if (result == WS_MORE)
		return false;
	send_all(peer, frame, ws_close(frame, peer->reader.status, peer->reader.why, peer->mask));
	printf("broken %u\n", (unsigned)peer->reader.status);
	return true;
}

/* False: it is over. */
static bool receive_more(struct peer *peer)
{
	size_t room;
	uint8_t *space = ws_reader_space(&peer->reader, &room);
	ssize_t n = recv(peer->fd, space, room, 0);

	if (n > 0)
		ws_reader_received(&peer->reader, (size_t)n);
	return n > 0;
}

static void echo(struct peer *peer)
{
	while (!take(peer))
		if (!receive_more(peer)) {
			printf("lost\n");
			return;
		}
}

/* ---- talking ---- */

static void send_frame(
	struct peer *peer, enum ws_opcode opcode, bool fin, const uint8_t *data, size_t len)
{
	AUTO_FREE uint8_t *masked = xmalloc(len + 1);
	uint8_t header[WS_HEADER_MAX];

	randombytes_buf(peer->mask, sizeof(peer->mask));
	send_all(peer, header, ws_fragment_header(header, opcode, fin, len, peer->mask));
	memcpy(masked, data, len);
	ws_mask(masked, len, peer->mask);
	send_all(peer, masked, len);
}

static void send_message(struct peer *peer, const uint8_t *data, size_t len, bool in_fragments)
{
	size_t part = len / 3;

	if (!in_fragments) {
		send_frame(peer, WS_BINARY, true, data, len);
		return;
	}
	send_frame(peer, WS_TEXT, false, data, part);
	send_frame(peer, WS_PING, true, (const uint8_t *)"between", 7);
	send_frame(peer, WS_CONTINUATION, false, data + part, part);
	send_frame(peer, WS_CONTINUATION, true, data + 2 * part, len - 2 * part);
}

/* The next message that is no pong; a test ends here if there is none. */
static struct ws_message await(struct peer *peer, unsigned *n_pongs)
{
	struct ws_message message;
	enum ws_result result;

	for (;;) {
		while ((result = ws_reader_next(&peer->reader, &message)) == WS_MESSAGE) {
			if (message.opcode != WS_PONG)
				return message;
			*n_pongs += message.len == 7;
		}
		if (result == WS_BROKEN || !receive_more(peer)) {
			printf("%s\n", result == WS_BROKEN ? peer->reader.why : "lost");
			exit(EXIT_FAILURE);
		}
	}
}

static void talk(struct peer *peer, unsigned code)
{
	uint8_t frame[WS_HEADER_MAX + WS_CONTROL_MAX];
	AUTO_FREE uint8_t *data = xmalloc(LENGTH_MAX);
	struct ws_message answer;
	unsigned n_pongs = 0;

	for (size_t i = 0; i < LENGTH_MAX; i++)
		data[i] = (uint8_t)('a' + i % 23);
	for (size_t i = 0; i < 2 * N_LENGTHS; i++) {
		size_t len = lengths[i / 2];
		bool in_fragments = i % 2;

		send_message(peer, data, len, in_fragments);
		answer = await(peer, &n_pongs);
		if (answer.opcode != (in_fragments ? WS_TEXT : WS_BINARY) || answer.len != len ||
			memcmp(answer.data, data, len) != 0) {
			printf("other than %zu bytes\n", len);
			exit(EXIT_FAILURE);
		}
	}
	send_all(peer, frame, ws_close(frame, code, "enough", peer->mask));
	answer = await(peer, &n_pongs);
	printf("closed %u after %u pongs\n",
		answer.opcode == WS_CLOSE ? ws_close_status(&answer) : 0, n_pongs);
}

/* ---- */

static void upgrade(struct peer *peer, const struct url *url)
{
	char text[UPGRADE_REQUEST_MAX], key[WS_KEY_SIZE];
	const struct upgrade_request request = { .url = url, .key = key };
	struct upgrade answer = { 0 };
	uint8_t *head;
	size_t len = 0, room;
	err_t err = ERR_OUT_OF_RANGE;

	ws_key(key);
	send_all(peer, text, upgrade_write(text, &request));
	head = ws_reader_space(&peer->reader, &room);
	while (err == ERR_OUT_OF_RANGE) {
		struct fault fault;
		ssize_t n = recv(peer->fd, head + len, room - len, 0);

		if (n <= 0)
			exit(EXIT_FAILURE);
		len += (size_t)n;
		err = upgrade_read(&answer, (const char *)head, len, &request, &fault);
	}
	if (err != OK || answer.status != 101)
		exit(EXIT_FAILURE);
	memmove(head, head + answer.head_len, len - answer.head_len);
	ws_reader_received(&peer->reader, len - answer.head_len);
}

int main(int argc, char **argv)
{
	static uint8_t buf[WS_READER_CAPACITY(MESSAGE_MAX)];
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct peer peer = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	AUTO_FREE char *text = xasprintf("ws://127.0.0.1:%s/", argc > 1 ? argv[1] : "");
	struct fault fault;
	struct url url;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (url_parse(&url, "ws", text, &fault) != OK)
		return EXIT_FAILURE;
	address.sin_port = htons((uint16_t)url.port);
	ws_reader_init(&peer.reader, WS_CLIENT, buf, sizeof(buf), MESSAGE_MAX);
	if (connect(peer.fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return EXIT_FAILURE;
	upgrade(&peer, &url);
	if (argc > 2)
		talk(&peer, (unsigned)atoi(argv[2]));
	else
		echo(&peer);
	close(peer.fd);
	return EXIT_SUCCESS;
}
