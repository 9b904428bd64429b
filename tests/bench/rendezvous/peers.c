/*
 * peers: clients of a pairing relay for benchmarks, with TLS unless KIND says otherwise.
 *
 *   peers flow KIND PORT PORT SIZE SECONDS    one pair: messages of SIZE bytes; prints bytes/s
 *   peers stall KIND PORT PORT BYTES          one pair whose reader stops: prints "stalled SENT",
 * and after a line of input reads on: "received TOTAL" peers idle KIND PORT PAIRS prints "open" and
 * keeps them until its input ends peers pairs KIND PORT PAIRS               prints the seconds to
 * make them, 16 at a time peers crowd KIND PORT PAIRS               the same for clients that have
 * connected before
 *
 * KIND: wss and ws are clients of nymea's pairing API, which meet at one port; tls is a bare relay
 * of two ports. What a flow sends is gathered to 16 KiB a write, whatever the relay.
 */
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/ws.h"

#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define AT_ONCE 16
#define WRITE	(16 * 1024)

struct peer {
	int fd;
	SSL *ssl; /* NULL: without */
};

struct pair {
	struct peer first, second;
};

static SSL_CTX *ctx;
static bool is_ws, is_tls;
static unsigned ports[2];

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "peers: %s: %m\n", what);
	exit(EXIT_FAILURE);
}

/* ---- one peer ---- */

static void put(const struct peer *peer, const void *data, size_t len)
{
	must(peer->ssl ? SSL_write(peer->ssl, data, (int)len) == (int)len
		       : send(peer->fd, data, len, MSG_NOSIGNAL) == (ssize_t)len,
		"the relay hung up");
}

static size_t get(const struct peer *peer, void *buf, size_t size)
{
	ssize_t n = peer->ssl ? SSL_read(peer->ssl, buf, (int)size) : read(peer->fd, buf, size);

	return n > 0 ? (size_t)n : 0;
}

static void say(const struct peer *peer, const char *text)
{
	uint8_t frame[1024];
	size_t len = strlen(text), header = ws_header(frame, WS_TEXT, len, (uint8_t[4]){ 0 });

	memcpy(frame + header, text, len);
	put(peer, frame, header + len);
}

static void expect(const struct peer *peer, const char *what)
{
	char text[4096] = "";
	size_t len = 0, n = 1;

	while (n > 0 && len < sizeof(text) - 1 && !memmem(text, len, what, strlen(what))) {
		n = get(peer, text + len, sizeof(text) - 1 - len);
		len += n;
	}
	if (memmem(text, len, what, strlen(what)))
		return;
	fprintf(stderr, "peers: no %s in: %.*s\n", what, (int)len, text);
	exit(EXIT_FAILURE);
}

static void connect_to(struct peer *peer, unsigned port)
{
	static const char upgrade[] =
		"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
	const struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1, n_tries = 0;

	peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(peer->fd >= 0, "socket");
	/* A bare relay opens its second door when somebody has come through the first. */
	while (connect(peer->fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
		must(errno == ECONNREFUSED && n_tries++ < 500, "connect");
		usleep(10 * 1000);
	}
	setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	peer->ssl = is_tls ? SSL_new(ctx) : NULL;
	if (peer->ssl) {
		SSL_set_fd(peer->ssl, peer->fd);
		must(SSL_connect(peer->ssl) == 1, "TLS");
	}
	if (!is_ws)
		return;
	put(peer, upgrade, sizeof(upgrade) - 1);
	expect(peer, "\r\n\r\n");
}

static void disconnect(struct peer *peer)
{
	SSL_free(peer->ssl);
	close(peer->fd);
}

/* ---- pairs ---- */

static void connect_pair(struct pair *pair)
{
	connect_to(&pair->first, ports[0]);
	connect_to(&pair->second, ports[1]);
}

static void authenticate(const struct peer *peer, unsigned number, char side)
{
	AUTO_FREE char *text =
		xasprintf("{\"id\":0,\"method\":\"Authentication.Authenticate\",\"params\":{"
			  "\"name\":\"bench\","
			  "\"nonce\":\"%u\",\"token\":\"bench-%d\",\"uuid\":\"%c\"}}\n",
			number, getpid(), side);

	say(peer, text);
}

static void ask_pair(const struct pair *pair, unsigned number)
{
	if (!is_ws)
		return;
	authenticate(&pair->first, number, 'a');
	authenticate(&pair->second, number, 'b');
}

static void expect_pair(const struct pair *pair)
{
	if (!is_ws)
		return;
	expect(&pair->first, "TunnelEstablished");
	expect(&pair->second, "TunnelEstablished");
}

static void make_pair(struct pair *pair, unsigned number)
{
	connect_pair(pair);
	ask_pair(pair, number);
	expect_pair(pair);
}

/* ---- flow and stall ---- */

static struct pair flow;
static uint8_t batch[WRITE + 128 * 1024];
static size_t batch_len;
static double payload_share; /* of what goes over the wire */
static atomic_bool over;
static atomic_size_t n_sent;
static atomic_size_t send_max = SIZE_MAX;

/* As many messages as make a write of 16 KiB, one at least. */
static void make_batch(size_t size)
{
	const uint8_t mask[WS_MASK_LEN] = { 1, 2, 3, 4 };
	size_t payload = 0;

	do {
		if (is_ws)
			batch_len += ws_header(batch + batch_len, WS_TEXT, size, mask);
		for (size_t i = 0; i < size; i++) /* text under its mask */
			batch[batch_len + i] = (uint8_t)('a' ^ (is_ws ? mask[i % WS_MASK_LEN] : 0));
		batch_len += size;
		payload += size;
	} while (payload < WRITE);
	/* The receiver's frames have no mask. */
	payload_share = is_ws ? (double)size / (double)(size + ws_header_len(size, false)) : 1;
}

static void *run_sender(void *arg)
{
	(void)arg;
	while (!over && n_sent < send_max) {
		put(&flow.first, batch, batch_len);
		n_sent += batch_len;
	}
	return NULL;
}

static double receive_for(double seconds)
{
	static uint8_t buf[256 * 1024];
	int64_t begin = clock_ms();
	double bytes = 0;

	while (clock_ms() - begin < (int64_t)(seconds * 1000)) {
		size_t n = get(&flow.second, buf, sizeof(buf));

		must(n > 0, "the relay hung up");
		bytes += (double)n;
	}
	return bytes * payload_share / ((double)(clock_ms() - begin) / 1000);
}

static void start_sender(pthread_t *thread, size_t size)
{
	make_batch(size);
	make_pair(&flow, 1);
	must(pthread_create(thread, NULL, run_sender, NULL) == 0, "thread");
}

static void run_flow(size_t size, double seconds)
{
	pthread_t thread;

	start_sender(&thread, size);
	receive_for(0.3); /* to full speed */
	printf("%.0f\n", receive_for(seconds));
	fflush(stdout);
	_exit(EXIT_SUCCESS); /* the sender may be blocked */
}

static void run_stall(size_t bytes)
{
	static uint8_t buf[256 * 1024];
	size_t before = SIZE_MAX, total = 0, n;
	pthread_t thread;

	send_max = bytes;
	start_sender(&thread, 64 * 1024);
	while (n_sent != before) {
		before = n_sent;
		usleep(500 * 1000);
	}
	printf("stalled %zu\n", before);
	fflush(stdout);
	must(getchar() != EOF, "input");
	while (total < bytes && (n = get(&flow.second, buf, sizeof(buf))) > 0)
		total += n;
	printf("received %zu\n", total);
}

/* ---- many ---- */

static struct pair *pairs;
static unsigned n_pairs;
static pthread_barrier_t ready;

static void *run_whole(void *arg)
{
	unsigned first = (unsigned)(uintptr_t)arg;

	for (unsigned i = first; i < n_pairs; i += AT_ONCE) {
		make_pair(&pairs[i], i);
		disconnect(&pairs[i].first);
		disconnect(&pairs[i].second);
	}
	return NULL;
}

static void *run_crowd(void *arg)
{
	unsigned first = (unsigned)(uintptr_t)arg;

	for (unsigned i = first; i < n_pairs; i += AT_ONCE)
		connect_pair(&pairs[i]);
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&ready);
	for (unsigned i = first; i < n_pairs; i += AT_ONCE)
		ask_pair(&pairs[i], i);
	for (unsigned i = first; i < n_pairs; i += AT_ONCE)
		expect_pair(&pairs[i]);
	return NULL;
}

static void run_many(bool connected_before)
{
	pthread_t threads[AT_ONCE];
	int64_t begin = clock_ms();

	pthread_barrier_init(&ready, NULL, AT_ONCE + 1);
	for (uintptr_t i = 0; i < AT_ONCE; i++)
		must(pthread_create(&threads[i], NULL, connected_before ? run_crowd : run_whole,
			     (void *)i) == 0,
			"thread");
	if (connected_before) {
		pthread_barrier_wait(&ready);
		usleep(300 * 1000);
		begin = clock_ms();
		pthread_barrier_wait(&ready);
	}
	for (size_t i = 0; i < AT_ONCE; i++)
		pthread_join(threads[i], NULL);
	printf("%.3f\n", (double)(clock_ms() - begin) / 1000);
}

static void run_idle(void)
{
	for (unsigned i = 0; i < n_pairs; i++)
		make_pair(&pairs[i], i);
	printf("open\n");
	fflush(stdout);
	while (getchar() != EOF)
		;
}

/* ---- */

static void prepare(const char *kind)
{
	const struct rlimit files = { 65536, 65536 };

	setrlimit(RLIMIT_NOFILE, &files);
	is_ws = kind[0] == 'w';
	is_tls = strcmp(kind, "ws") != 0;
	ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, 128 * 1024);
}

int main(int argc, char **argv)
{
	const char *what = argc > 3 ? argv[1] : "";

	must(argc > 4, "see the head of peers.c");
	prepare(argv[2]);
	ports[0] = ports[1] = (unsigned)strtoul(argv[3], NULL, 10);
	if (argc > 5)
		ports[1] = (unsigned)strtoul(argv[4], NULL, 10);
	if (strcmp(what, "flow") == 0) {
		run_flow(strtoul(argv[5], NULL, 10), strtod(argv[6], NULL));
	} else if (strcmp(what, "stall") == 0) {
		run_stall(strtoul(argv[5], NULL, 10));
	} else {
		n_pairs = (unsigned)strtoul(argv[4], NULL, 10);
		pairs = xcalloc(n_pairs, sizeof(*pairs));
		if (strcmp(what, "idle") == 0)
			run_idle();
		else
			run_many(strcmp(what, "crowd") == 0);
	}
	return EXIT_SUCCESS;
}
