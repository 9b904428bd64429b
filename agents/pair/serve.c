/*
 * serve: see serve.h. On the wire are SLIP frames, each of one client or, with address 0, a JSON
 * document. The protocol can't hold one client alone: while one has too much waiting for its local
 * side the wire is not read, and if it takes nothing for long it is sent away. The local sides are
 * read only while all that was sent is with the kernel.
 */
#include "agents/pair/serve.h"

#include "agents/document.h"
#include "agents/loop.h"
#include "agents/pair/local.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/slip.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK	     (16 * 1024)
#define QUEUE_FULL   (256 * 1024) /* bytes that may wait for a local side */
#define DOCUMENT_MAX (16 * 1024)
#define TICK_MS	     5000
#define PING_TICKS   6	   /* 30 s: a server that is silent for 60 s is forgotten there */
#define SILENT_MS    90000 /* a proxy that does not answer pings is gone */
#define CLIENTS_MAX  1024

struct client {
	struct serve *serve;
	unsigned address;
	struct loop_watch watch; /* its fd is the local side */
	uint32_t events;	 /* that are watched for */
	uint8_t *queue;		 /* for the local side */
	size_t queue_len, queue_sent;
	size_t stuck_len;    /* of the queue at the last tick, if it was full then */
	bool gone;	     /* at the proxy: the local side ends with the queue */
	bool over;	     /* to be freed */
	struct client *next; /* serve.clients */
};

struct serve {
	const struct serve_options *options;
	struct loop *loop;
	struct loop_watch wire;
	uint32_t wire_events;
	struct loop_timer timer;
	struct client *clients;
	unsigned n_clients, n_ticks;
	struct slip_reader reader;
	char document[DOCUMENT_MAX];
	size_t document_len;
	int last_id;
	int64_t heard_ms;
	struct fault *fault;
};

static void stop(struct serve *serve, const char *what, const char *why)
{
	fault_set(serve->fault, ERR_UNAVAILABLE, "", "%s%s%.200s", what, *why != '\0' ? ": " : "",
		why);
	loop_stop(serve->loop);
}

/* ---- to the proxy ---- */

static void send_frame(struct serve *serve, unsigned address, const void *data, size_t len)
{
	uint8_t *frame = xmalloc(SLIP_FRAME_MAX(len));

	wire_send(serve->options->wire, frame, slip_write(frame, address, data, len));
	free(frame);
}

static void request(struct serve *serve, const char *method, json_t *params)
{
	AUTO_FREE char *line = meet_request(++serve->last_id, method, params);

	send_frame(serve, SLIP_ADDRESS_RPC, line, strlen(line));
}

/* ---- clients ---- */

static struct client *find(const struct serve *serve, unsigned address)
{
	struct client *client = serve->clients;

	while (client && (client->address != address || client->over))
		client = client->next;
	return client;
}

static size_t waiting(const struct client *client)
{
	return client->queue_len - client->queue_sent;
}

/* Ends the local side; the client is told, unless it has gone itself. */
static void end_client(struct client *client, const char *why)
{
	struct serve *serve = client->serve;

	if (client->over)
		return;
	client->over = true;
	if (!client->gone)
		request(serve, "TunnelProxy.DisconnectClient",
			json_pack("{s:i}", "socketAddress", (int)client->address));
	if (!serve->options->quiet)
		fprintf(stderr, "lanyard pair: client %u has ended%s%s\n", client->address,
			*why != '\0' ? ": " : "", why);
}

/* Writes what waits for the local side. */
static void flush(struct client *client)
{
	while (waiting(client) > 0) {
		ssize_t n = send(client->watch.fd, client->queue + client->queue_sent,
			waiting(client), MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			end_client(client, strerror(errno));
			return;
		}
		client->queue_sent += (size_t)n;
	}
	client->queue_len = client->queue_sent = 0;
	if (client->gone)
		end_client(client, "");
}

static void push(struct client *client, const uint8_t *data, size_t len)
{
	if (client->queue_sent > 0) {
		memmove(client->queue, client->queue + client->queue_sent, waiting(client));
		client->queue_len -= client->queue_sent;
		client->queue_sent = 0;
	}
	client->queue = xrealloc(client->queue, client->queue_len + len + 1);
	memcpy(client->queue + client->queue_len, data, len);
	client->queue_len += len;
	flush(client);
}

static void read_local(struct client *client)
{
	uint8_t data[CHUNK];
	ssize_t n = recv(client->watch.fd, data, sizeof(data), MSG_DONTWAIT);

	if (n > 0)
		send_frame(client->serve, client->address, data, (size_t)n);
	else if (n == 0)
		end_client(client, "");
	else if (errno != EAGAIN && errno != EINTR)
		end_client(client, strerror(errno));
}

static void settle(struct serve *serve);

static void on_local(void *context, uint32_t events)
{
	struct client *client = context;

	if (!client->over && events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		flush(client);
	if (!client->over && !client->gone && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_local(client);
	settle(client->serve);
}

static void add_client(struct serve *serve, unsigned address, const char *name)
{
	struct client *client = xcalloc(1, sizeof(*client));
	struct fault fault = { "", "" };

	client->serve = serve;
	client->address = address;
	client->watch = (struct loop_watch){ -1, on_local, client };
	client->next = serve->clients;
	serve->clients = client;
	serve->n_clients++;
	if (!serve->options->quiet)
		fprintf(stderr, "lanyard pair: client %u has come: %.200s\n", address, name);
	if (serve->n_clients > CLIENTS_MAX)
		end_client(client, "there are too many");
	else if (local_connect(serve->options->connect, true, &client->watch.fd, &fault) != OK)
		end_client(client, fault.detail);
	else
		loop_add(serve->loop, &client->watch, client->events = EPOLLIN);
}

static void free_client(struct client *client)
{
	if (client->watch.fd >= 0) {
		loop_remove(client->serve->loop, &client->watch);
		close(client->watch.fd);
	}
	client->serve->n_clients--;
	free(client->queue);
	free(client);
}

/* ---- from the proxy ---- */

static void take_document(struct serve *serve)
{
	AUTO_DOCUMENT document = document_read(serve->document, serve->document_len);
	const char *event = json_string_value(json_object_get(document, "notification"));
	const json_t *params = json_object_get(document, "params");
	const char *name = json_string_value(json_object_get(params, "clientName"));
	json_int_t address = json_integer_value(json_object_get(params, "socketAddress"));
	struct client *client;

	serve->document_len = 0;
	if (!event || address < 1 || address > SLIP_ADDRESS_MAX)
		return; /* an answer */
	client = find(serve, (unsigned)address);
	if (strcmp(event, "TunnelProxy.ClientConnected") == 0 && !client)
		add_client(serve, (unsigned)address, name ? name : "");
	if (strcmp(event, "TunnelProxy.ClientDisconnected") == 0 && client) {
		client->gone = true;
		flush(client);
	}
}

static void take_piece(struct serve *serve, const struct slip_piece *piece)
{
	struct client *client;

	if (piece->address != SLIP_ADDRESS_RPC) {
		client = find(serve, piece->address);
		if (client && !client->gone)
			push(client, piece->data, piece->len);
		return;
	}
	if (piece->len > sizeof(serve->document) - serve->document_len) {
		stop(serve, "the tunnel proxy says what is no document of its protocol", "");
		return;
	}
	memcpy(serve->document + serve->document_len, piece->data, piece->len);
	serve->document_len += piece->len;
	if (piece->final)
		take_document(serve);
}

static void take_bytes(struct serve *serve, const uint8_t *data, size_t len)
{
	uint8_t out[CHUNK];
	struct slip_piece piece;

	serve->heard_ms = clock_ms();
	while (slip_read(&serve->reader, &data, &len, out, sizeof(out), &piece))
		take_piece(serve, &piece);
}

static bool is_held(const struct serve *serve)
{
	for (const struct client *client = serve->clients; client; client = client->next)
		if (!client->over && waiting(client) >= QUEUE_FULL)
			return true;
	return false;
}

static void read_wire(struct serve *serve)
{
	while (!is_held(serve)) {
		const uint8_t *data;
		const char *why;
		ssize_t n = wire_receive(serve->options->wire, &data, &why);

		if (n < 0)
			stop(serve, "the tunnel proxy has hung up", why);
		if (n <= 0)
			return;
		take_bytes(serve, data, (size_t)n);
	}
}

static void on_wire(void *context, uint32_t events)
{
	(void)events;
	settle(context);
}

/* ---- after each turn ---- */

static void drop_over(struct serve *serve)
{
	struct client **link = &serve->clients;

	while (*link) {
		struct client *client = *link;

		if (!client->over) {
			link = &client->next;
			continue;
		}
		*link = client->next;
		free_client(client);
	}
}

static void watch_for(struct loop *loop, struct loop_watch *watch, uint32_t *now, uint32_t wanted)
{
	if (*now != wanted)
		loop_change(loop, watch, wanted);
	*now = wanted;
}

/* Reads what there is room for, and waits for what is wanted then. */
static void settle(struct serve *serve)
{
	bool flushed;

	read_wire(serve);
	drop_over(serve);
	flushed = wire_flush(serve->options->wire);
	watch_for(serve->loop, &serve->wire, &serve->wire_events,
		(is_held(serve) ? 0 : EPOLLIN) | (flushed ? 0 : EPOLLOUT));
	for (struct client *client = serve->clients; client; client = client->next)
		watch_for(serve->loop, &client->watch, &client->events,
			(flushed && !client->gone ? EPOLLIN : 0) |
				(waiting(client) > 0 ? EPOLLOUT : 0));
}

static void on_tick(void *context)
{
	struct serve *serve = context;

	loop_set_timer(serve->loop, &serve->timer, clock_ms() + TICK_MS);
	for (struct client *client = serve->clients; client; client = client->next) {
		size_t len = waiting(client);

		if (len >= QUEUE_FULL && len == client->stuck_len)
			end_client(client, "it takes nothing");
		client->stuck_len = len >= QUEUE_FULL ? len : 0;
	}
	if (++serve->n_ticks % PING_TICKS == 0)
		request(serve, "TunnelProxy.Ping",
			json_pack("{s:I}", "timestamp", (json_int_t)time(NULL)));
	if (!is_held(serve) && clock_ms() - serve->heard_ms > SILENT_MS)
		stop(serve, "the tunnel proxy does not answer", "");
	else
		settle(serve);
}

err_t serve(const struct serve_options *options, struct fault *fault)
{
	struct serve *serve = xcalloc(1, sizeof(*serve));

	serve->options = options;
	serve->fault = fault;
	serve->loop = loop_create();
	serve->heard_ms = clock_ms();
	serve->wire = (struct loop_watch){ wire_fd(options->wire), on_wire, serve };
	serve->timer = (struct loop_timer){ .fire = on_tick, .context = serve };
	loop_add(serve->loop, &serve->wire, serve->wire_events = EPOLLIN);
	loop_set_timer(serve->loop, &serve->timer, clock_ms() + TICK_MS);
	wire_be_binary(options->wire);
	take_bytes(serve, options->meet->rest, options->meet->rest_len);
	settle(serve);
	if (fault->detail[0] == '\0')
		loop_run(serve->loop);
	for (struct client *client = serve->clients; client; client = client->next)
		client->over = true;
	drop_over(serve);
	loop_clear_timer(serve->loop, &serve->timer);
	loop_remove(serve->loop, &serve->wire);
	loop_destroy(serve->loop);
	free(serve);
	return ERR_UNAVAILABLE;
}
