/*
 * crowd: many sessions at once for benchmarks.
 *
 *   crowd HOST PORT tls|plain CA.pem < SESSIONS    a line a session: "TOKEN MAC"
 *
 * Opens all of them, one after the other, prints "open N", and then obeys lines on its standard
 * input (after an empty line that ends the sessions):
 *
 *   send SECONDS BURST BURSTS-A-SECOND BYTES    the first session sends broadcasts; prints how many
 * messages and bytes all the others received
 *
 * The end of its input ends it.
 */
#include "lib/clock.h"
#include "lib/tls.h"
#include "lib/ws.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <unistd.h>

#define SESSIONS_MAX 20000
#define EVENTS	     256

/* A member's session: a socket, and TLS over it unless it is NULL. */
struct member {
	int fd;
	struct tls *tls;
	uint8_t mac[6];
};

static struct member members[SESSIONS_MAX];
static size_t n_members;
static unsigned long long n_messages, n_bytes;
static int events;

static void die(const char *what)
{
	fprintf(stderr, "crowd: %s: %m\n", what);
	exit(EXIT_FAILURE);
}

/* Reads what is there; < 0: nothing now. The end of a session is the end of the benchmark. */
static ssize_t member_read(struct member *member, void *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	if (member->tls != NULL) {
		enum tls_result result = tls_read(member->tls, buf, size, &len);

		if (result == TLS_CLOSED || result == TLS_FAILED)
			die("the node ended a session");
		return result == TLS_OK ? (ssize_t)len : -1;
	}
	n = read(member->fd, buf, size);
	if (n == 0)
		die("the node ended a session");
	return n;
}

static void member_write(struct member *member, const void *buf, size_t len)
{
	size_t n;

	if (member->tls == NULL) {
		if (write(member->fd, buf, len) != (ssize_t)len)
			die("write");
		return;
	}
	if (tls_write(member->tls, buf, len, &n) != TLS_OK || tls_flush(member->tls) != TLS_OK)
		die("write");
}

static void wait_readable(int fd)
{
	struct pollfd wait = { fd, POLLIN, 0 };

	if (poll(&wait, 1, 30000) != 1)
		die("the node does not answer");
}

static void open_member(struct member *member, struct tls_trust *trust,
	const struct sockaddr_in *to, const char *host, const char *token)
{
	char request[8192], reply[4096], key[WS_KEY_SIZE];
	enum tls_result result;
	size_t have = 0;
	int on = 1;

	member->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (member->fd < 0 || connect(member->fd, (const struct sockaddr *)to, sizeof(*to)) != 0)
		die("connect");
	setsockopt(member->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fcntl(member->fd, F_SETFL, O_NONBLOCK);
	if (trust != NULL) {
		member->tls = tls_create(trust, member->fd, host);
		while ((result = tls_handshake(member->tls)) != TLS_OK) {
			if (result == TLS_FAILED)
				die(tls_why(member->tls));
			tls_flush(member->tls);
			wait_readable(member->fd);
		}
	}
	ws_key(key);
	snprintf(request, sizeof(request),
		"GET /l2 HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: "
		"Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: lanyard.l2.v1\r\nAuthorization: "
		"Bearer %s\r\n\r\n",
		host, key, token);
	member_write(member, request, strlen(request));
	do {
		ssize_t n;

		while ((n = member_read(member, reply + have, sizeof(reply) - 1 - have)) < 0)
			wait_readable(member->fd);
		have += (size_t)n;
		reply[have] = '\0';
	} while (strstr(reply, "\r\n\r\n") == NULL && have < sizeof(reply) - 1);
	if (strncmp(reply, "HTTP/1.1 101", 12) != 0) {
		fprintf(stderr, "crowd: %.200s\n", reply);
		exit(EXIT_FAILURE);
	}
}

static void receive(struct member *member)
{
	static uint8_t buf[256 * 1024];
	ssize_t n;

	while ((n = member_read(member, buf, sizeof(buf))) > 0) {
		n_messages++;
		n_bytes += (size_t)n;
	}
}

static void receive_for(int timeout_ms)
{
	struct epoll_event ready[EVENTS];
	int n = epoll_wait(events, ready, EVENTS, timeout_ms);

	for (int i = 0; i < n; i++)
		receive(ready[i].data.ptr);
}

/* One message of `burst` broadcast frames of `len` bytes. */
static void send_burst(struct member *member, int burst, size_t len)
{
	static uint8_t message[256 * 1024];
	static const uint8_t mask[WS_MASK_LEN] = { 0x12, 0x34, 0x56, 0x78 };
	size_t payload = (size_t)burst * (14 + len),
	       header = ws_header(message, WS_BINARY, payload, mask);
	uint8_t *at = message + header;

	memset(at, 0, payload);
	for (int i = 0; i < burst; i++, at += 14 + len) {
		at[1] = (uint8_t)(len >> 16);
		at[2] = (uint8_t)(len >> 8);
		at[3] = (uint8_t)len;
		memset(at + 14, 0xff, 6);
		memcpy(at + 20, member->mac, 6);
		at[26] = 0x88; /* an EtherType for experiments */
		at[27] = 0xb5;
	}
	ws_mask(message + header, payload, mask);
	member_write(member, message, header + payload);
}

static void run_send(double seconds, int burst, int bursts_a_second, size_t len)
{
	int64_t begin = clock_ms(), now = begin, end = begin + (int64_t)(seconds * 1000);
	long long sent = 0;

	n_messages = n_bytes = 0;
	while (now < end) {
		if ((now - begin) * bursts_a_second / 1000 >= sent) {
			send_burst(&members[0], burst, len);
			sent++;
		}
		receive_for(1);
		now = clock_ms();
	}
	for (end += 2000; clock_ms() < end;)
		receive_for(100);
	printf("%llu %llu %lld\n", n_messages, n_bytes, sent * burst);
	fflush(stdout);
}

static char *read_file(const char *path)
{
	char *text = calloc(1, 65536);
	FILE *file = fopen(path, "re");

	if (text == NULL || file == NULL || fread(text, 1, 65535, file) == 0)
		die(path);
	fclose(file);
	return text;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct rlimit files = { SESSIONS_MAX + 100, SESSIONS_MAX + 100 };
	struct tls_trust *trust = NULL;
	static char line[8192], token[5000];
	struct fault fault;
	double seconds;
	int burst, rate;
	size_t len;

	if (argc != 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: crowd HOST PORT tls|plain CA.pem\n");
		return 2;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	to.sin_port = htons((uint16_t)atoi(argv[2]));
	if (strcmp(argv[3], "tls") == 0 &&
		tls_trust_create(&trust, read_file(argv[4]), &fault) != OK)
		die(fault.detail);
	events = epoll_create1(EPOLL_CLOEXEC);
	while (fgets(line, sizeof(line), stdin) != NULL && *line != '\n' &&
		n_members < SESSIONS_MAX) {
		struct member *member = &members[n_members++];
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = member };
		uint8_t *mac = member->mac;

		if (sscanf(line, "%4999s %hhx:%hhx:%hhx:%hhx:%hhx:%hhx", token, mac, mac + 1,
			    mac + 2, mac + 3, mac + 4, mac + 5) != 7)
			die("a line of the input");
		open_member(member, trust, &to, argv[1], token);
		epoll_ctl(events, EPOLL_CTL_ADD, member->fd, &event);
		receive(member);
	}
	printf("open %zu\n", n_members);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL)
		if (sscanf(line, "send %lf %d %d %zu", &seconds, &burst, &rate, &len) == 4)
			run_send(seconds, burst, rate, len);
	return 0;
}
