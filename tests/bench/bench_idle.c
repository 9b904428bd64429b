/*
 * idle: resident memory of connections that are open and do nothing, with TLS and without. The
 * clients are in another process. What the kernel holds for sockets is not in it.
 */
#include "tests/bench/report.h"

#include "dataplane/net/channel.h"
#include "dataplane/net/listener.h"
#include "lib/mem.h"
#include "lib/tls_server.h"

#include <openssl/ssl.h>

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECTIONS 10000
#define QUIET_MS    500 /* nothing came for so long: all are idle */

static char folder[] = "/tmp/lanyard-idle-XXXXXX";
static char *path, *cert, *key;

static void must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(EXIT_FAILURE);
}

/* ---- the clients ---- */

static void upgrade(SSL *ssl, int fd)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
				      "Connection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n";
	char reply[512];
	const int len = sizeof(request) - 1;

	must(ssl ? SSL_write(ssl, request, len) == len
		 : write(fd, request, sizeof(request) - 1) == len,
		"write");
	must((ssl ? SSL_read(ssl, reply, sizeof(reply)) : (int)read(fd, reply, sizeof(reply))) > 0,
		"read");
}

static void run_clients(bool tls)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path, path);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	for (int i = 0; i < CONNECTIONS; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		SSL *ssl = NULL;

		must(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
		if (tls) {
			ssl = SSL_new(ctx);
			SSL_set_fd(ssl, fd);
			must(SSL_connect(ssl) == 1, "handshake");
		}
		upgrade(ssl, fd);
	}
	pause();
}

/* ---- the node's side ---- */

static struct streams *streams;
static struct listener *listener;
static struct tls_server *server;
static uv_timer_t timer;
static int n_open, n_open_before;

static void on_opened(struct channel *channel)
{
	(void)channel;
	n_open++;
}

static void on_closed(struct channel *channel)
{
	(void)channel;
	n_open--;
}

static const struct channel_face face = { .opened = on_opened, .closed = on_closed };

static void on_asked(void *context, struct http *http)
{
	const struct channel_options options = { 0 };
	struct channel *channel = channel_accept(http, &options);

	(void)context;
	channel->face = &face;
	channel_open(channel);
}

static void on_accepted(void *context, struct stream *stream)
{
	static const struct http_face http_face = { .asked = on_asked };

	(void)context;
	http_create(stream, &http_face, NULL);
}

static double resident(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	must(file && fscanf(file, "%*d %ld", &pages) == 1, "statm");
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void on_tick(uv_timer_t *tick)
{
	if (n_open == CONNECTIONS && n_open == n_open_before)
		uv_stop(tick->loop);
	n_open_before = n_open;
}

/* Tells kB for each connection, and ends the process. */
static void measure(bool tls, int out)
{
	struct listener_options options = { .loop = uv_default_loop(),
		.door = { .listen = path, .mode = 0600 },
		.tls = tls ? server : NULL,
		.accepted = on_accepted };
	double before;
	pid_t clients;

	options.streams = streams = streams_create(uv_default_loop());
	must(listener_open(&listener, &options) == OK, "listen");
	before = resident();
	clients = fork();
	if (clients == 0)
		run_clients(tls);
	uv_timer_init(uv_default_loop(), &timer);
	uv_timer_start(&timer, on_tick, QUIET_MS, QUIET_MS);
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	before = (resident() - before) / CONNECTIONS / 1000;
	kill(clients, SIGKILL);
	waitpid(clients, NULL, 0);
	must(write(out, &before, sizeof(before)) == sizeof(before), "write");
	_exit(EXIT_SUCCESS);
}

/* In a process of its own, so that one does not use the other's freed memory. */
static double measure_apart(bool tls)
{
	double measured;
	int ends[2];

	must(pipe(ends) == 0, "pipe");
	if (fork() == 0)
		measure(tls, ends[1]);
	close(ends[1]);
	must(read(ends[0], &measured, sizeof(measured)) == sizeof(measured), "the node");
	close(ends[0]);
	wait(NULL);
	return measured;
}

int main(int argc, char **argv)
{
	struct rlimit files = { CONNECTIONS + 1000, CONNECTIONS + 1000 };
	struct tls_identity identity;
	const struct tls_server_options options = { .identities = &identity, .n_identities = 1 };
	FILE *file = report_open(argc, argv, "idle");
	AUTO_FREE char *command = NULL;
	struct fault fault;

	must(setrlimit(RLIMIT_NOFILE, &files) == 0, "10,000 connections need as many descriptors");
	must(mkdtemp(folder) != NULL, "mkdtemp");
	path = xasprintf("%s/socket", folder);
	cert = xasprintf("%s/cert", folder);
	key = xasprintf("%s/key", folder);
	command = xasprintf("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
			    "-subj /CN=node -keyout %s -out %s 2>/dev/null",
		key, cert);
	must(system(command) == 0, "openssl");
	identity = (struct tls_identity){ cert, key, NULL };
	must(tls_server_create(&server, &options, &fault) == OK, fault.detail);
	{
		const struct report_row rows[] = {
			{ "idle connection", "kB", measure_apart(false), "none", 0, 4, false },
			{ "idle connection, TLS", "kB", measure_apart(true), "none", 0, 20, false },
		};

		report_table(rows, ARRAY_LEN(rows));
		report_json(rows, ARRAY_LEN(rows), file);
	}
	unlink(path);
	unlink(cert);
	unlink(key);
	rmdir(folder);
	return EXIT_SUCCESS;
}
