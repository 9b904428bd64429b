/*
 * channel: WebSocket connections over libwebsockets 4.1.6 and its libuv plugin. With handshake.c
 * the only code that sees that library.
 *
 * What is done here for a reason that the library does not tell: docs/dataplane.md. The loop's
 * thread.
 */
#include "dataplane/net/channel.h"

#include "dataplane/counters.h"
#include "dataplane/net/handshake.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/uuid.h"

#include <libwebsockets.h>
#include <sodium.h>

#include <stdio.h>
#include <string.h>

/* Reads and writes in one piece: a whole super-frame and its header. */
#define BUFFER_LEN    (132 * 1024)
#define HEADERS_MAX   (16 * 1024)
#define HANDSHAKE_S   10
#define CHECK_BYTES   (64 * 1024)  /* ask the socket if it is full after so many bytes */
#define WRITE_BYTES   (128 * 1024) /* written in one turn before other connections get theirs */
#define QUEUE_HIGH    (QUEUE_BYTES_MAX / 2)
#define QUEUE_LOW     (QUEUE_BYTES_MAX / 8)
#define CLOSE_S	      5	 /* for the closing handshake */
#define FINISH_S      30 /* for what waits to be written before it */
#define DRAIN_TICK_MS 20

_Static_assert(PACKET_HEADROOM >= LWS_PRE, "libwebsockets writes its header into the headroom");
_Static_assert(BUFFER_LEN > PACKET_MAX, "a larger write would be copied in pieces");

struct channel_server {
	struct channel_server_options options;
	struct lws_context *context;
	struct lws_vhost *vhost;
	struct channel *channels;
	uv_timer_t drain; /* runs while the server is closing */
	int64_t drain_until_ms;
	void (*ended)(void *arg);
	void *ended_arg;
};

static int on_handshake(struct lws *wsi, struct channel *channel)
{
	struct channel_server *server = lws_context_user(lws_get_context(wsi));
	struct channel_request request;
	const char *why = "";
	int status = handshake_read(wsi, &request, &why);

	channel->wsi = wsi;
	channel->server = server;
	queue_init(&channel->queue, QUEUE_BYTES_MAX);
	uuid_new(channel->id);
	lws_get_peer_simple(wsi, channel->address, sizeof(channel->address));
	if (status == 0)
		status =
			server->options.handshake(server->options.context, channel, &request, &why);
	sodium_memzero(request.authorization, sizeof(request.authorization));
	if (status != 0)
		return handshake_refuse(wsi, status, why);
	counter_add(COUNTER_HANDSHAKES_ACCEPTED, 1);
	return 0;
}

/* ---- the life of a connection ---- */

static void channel_link(struct channel *channel)
{
	struct channel_server *server = channel->server;

	channel->next = server->channels;
	channel->slot = &server->channels;
	if (channel->next)
		channel->next->slot = &channel->next;
	server->channels = channel;
	counter_add(COUNTER_CONNECTIONS, 1);
}

static void channel_unlink(struct channel *channel)
{
	if (!channel->slot)
		return;
	*channel->slot = channel->next;
	if (channel->next)
		channel->next->slot = channel->slot;
	channel->slot = NULL;
	counter_add(COUNTER_CONNECTIONS, -1);
}

static void on_opened(struct channel *channel)
{
	channel_link(channel);
	channel->face->opened(channel);
}

/* Also for one that was accepted, but whose handshake could not be written. */
static void on_closed(struct channel *channel)
{
	const struct channel_face *face = channel->face;

	if (!face)
		return;
	channel->face = NULL;
	channel->state = CHANNEL_GONE;
	channel_unlink(channel);
	queue_finish(&channel->queue);
	face->closed(channel);
}

static int on_received(struct channel *channel, const void *data, size_t len)
{
	struct lws *wsi = channel->wsi;
	struct channel_piece piece = {
		.data = data,
		.len = len,
		.left = lws_remaining_packet_payload(wsi),
		.first = lws_is_first_fragment(wsi),
		.final = lws_is_final_fragment(wsi),
		.text = !lws_frame_is_binary(wsi),
	};

	if (channel->state == CHANNEL_OPEN)
		channel->face->received(channel, &piece);
	return 0;
}

static void wait_for_room(struct channel *channel)
{
	channel->blocked = true;
	lws_callback_on_writable(channel->wsi);
}

/* Writes one packet; false if the socket is broken: it is then closed from the loop. */
static bool write_packet(struct channel *channel, struct packet *packet)
{
	static const enum lws_write_protocol opcodes[] = {
		[PACKET_BINARY] = LWS_WRITE_BINARY,
		[PACKET_TEXT] = LWS_WRITE_TEXT,
		[PACKET_CONTINUATION] = LWS_WRITE_CONTINUATION,
	};
	int opcode = (int)opcodes[packet->kind] | (packet->final ? 0 : (int)LWS_WRITE_NO_FIN);

	if (lws_write(channel->wsi, packet->data, packet->len, (enum lws_write_protocol)opcode) <
		0) {
		channel->state = CHANNEL_GONE;
		lws_set_timeout(channel->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
		return false;
	}
	channel->unchecked += packet->len;
	return true;
}

/* Is the socket full? Asking costs a system call, so it is asked once in a while only; in between,
 * what the kernel did not take shows as partly buffered. */
static bool socket_is_full(struct channel *channel)
{
	if (lws_partial_buffered(channel->wsi))
		return true;
	if (channel->unchecked < CHECK_BYTES)
		return false;
	channel->unchecked = 0;
	return lws_send_pipe_choked(channel->wsi);
}

static bool write_queue(struct channel *channel)
{
	struct packet *packet;
	size_t budget = WRITE_BYTES;

	channel->blocked = false;
	while (budget > 0 && !socket_is_full(channel) && (packet = queue_pop(&channel->queue))) {
		bool written = write_packet(channel, packet);

		budget -= packet->len < budget ? packet->len : budget;
		packet_unref(packet);
		if (!written)
			return false;
	}
	if (!queue_is_empty(&channel->queue))
		wait_for_room(channel);
	return true;
}

static void tell_drained(struct channel *channel)
{
	if (!channel->full || channel->queue.bytes > QUEUE_LOW)
		return;
	channel->full = false;
	if (channel->face->drained)
		channel->face->drained(channel);
}

/*
 * Sends the close frame; what follows is the peer's answer or the end of CLOSE_S. The library's own
 * way (lws_close_reason, and -1 from the callback) sends none from here: as Debian builds it, it
 * closes a second time at once, to test itself.
 */
static int send_close(struct channel *channel)
{
	unsigned char frame[LWS_PRE + WS_HEADER_MAX + WS_CONTROL_MAX];
	size_t len = ws_close(frame + LWS_PRE, channel->code, channel->reason, NULL);

	channel->state = CHANNEL_GONE;
	lws_set_timeout(channel->wsi, PENDING_TIMEOUT_CLOSE_ACK, CLOSE_S);
	/* As bytes of HTTP, that is as they are: the library keeps its own opcode for closing to
	 * itself. */
	return lws_write(channel->wsi, frame + LWS_PRE, len, LWS_WRITE_HTTP) < 0 ? -1 : 0;
}

static int on_writable(struct channel *channel)
{
	switch (channel->state) {
	case CHANNEL_OPEN:
		if (!write_queue(channel))
			return -1;
		tell_drained(channel);
		return 0;
	case CHANNEL_FINISHING:
		if (!write_queue(channel))
			return -1;
		return queue_is_empty(&channel->queue) ? send_close(channel) : 0;
	case CHANNEL_CLOSING:
		return send_close(channel);
	case CHANNEL_GONE:
		break;
	}
	return 0;
}

/* The library answers the peer's close frame, but ours was sent already: then it is over. */
static int on_peer_close(struct channel *channel)
{
	if (channel->code != 0 && channel->state == CHANNEL_GONE)
		return -1;
	channel->state = CHANNEL_GONE;
	queue_finish(&channel->queue);
	return 0;
}

static int on_event(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct channel *channel = user;

	switch ((int)reason) {
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return handshake_check_upgrade(wsi);
	case LWS_CALLBACK_HTTP:
		return handshake_refuse(wsi, 426, "This is a WebSocket endpoint.");
	case LWS_CALLBACK_RAW_ADOPT: /* the method CONNECT, which would stay open for ever */
		return -1;
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		return on_handshake(wsi, channel);
	case LWS_CALLBACK_ESTABLISHED:
		on_opened(channel);
		return 0;
	case LWS_CALLBACK_RECEIVE:
		return on_received(channel, in, len);
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return on_writable(channel);
	case LWS_CALLBACK_TIMER:
		if (channel->state == CHANNEL_OPEN && channel->face->timer)
			channel->face->timer(channel);
		return 0;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		return on_peer_close(channel);
	case LWS_CALLBACK_CLOSED:
	case LWS_CALLBACK_WSI_DESTROY:
		if (channel)
			on_closed(channel);
		return 0;
	default:
		return 0;
	}
}

/* ---- what faces do with it ---- */

bool channel_send(struct channel *channel, struct packet *packet)
{
	if (channel->state != CHANNEL_OPEN)
		return false;
	if (!channel->blocked && socket_is_full(channel))
		wait_for_room(channel);
	if (!channel->blocked)
		return write_packet(channel, packet);
	return queue_push(&channel->queue, packet);
}

bool channel_is_full(struct channel *channel)
{
	if (channel->queue.bytes >= QUEUE_HIGH)
		channel->full = true;
	return channel->full;
}

void channel_hold(struct channel *channel, bool held)
{
	lws_rx_flow_control(channel->wsi, held ? 0 : 1);
}

void channel_set_timer(struct channel *channel, unsigned ms)
{
	lws_set_timer_usecs(channel->wsi, ms ? (lws_usec_t)ms * 1000 : LWS_SET_TIMER_USEC_CANCEL);
}

static void begin_close(
	struct channel *channel, enum ws_status code, const char *reason, int within_s)
{
	channel->code = code;
	snprintf(channel->reason, sizeof(channel->reason), "%s", reason);
	lws_set_timeout(channel->wsi, PENDING_TIMEOUT_CLOSE_SEND, within_s);
	lws_callback_on_writable(channel->wsi);
}

void channel_close(struct channel *channel, enum ws_status code, const char *reason)
{
	if (channel->state == CHANNEL_GONE || channel->state == CHANNEL_CLOSING)
		return;
	channel->state = CHANNEL_CLOSING;
	begin_close(channel, code, reason, CLOSE_S);
	queue_finish(&channel->queue);
}

void channel_finish(struct channel *channel, enum ws_status code, const char *reason)
{
	if (channel->state != CHANNEL_OPEN)
		return;
	channel->state = CHANNEL_FINISHING;
	begin_close(channel, code, reason, FINISH_S);
}

/* ---- the server ---- */

static const struct lws_protocols protocols[] = {
	{
		.name = "lanyard",
		.callback = on_event,
		.per_session_data_size = sizeof(struct channel),
		.rx_buffer_size = BUFFER_LEN,
		.tx_packet_size = BUFFER_LEN,
	},
	{ 0 },
};

/* All zero: no pings from the library, and no hanging up on clients that never answer them. */
static const lws_retry_bo_t no_pings;

static void log_library(int level, const char *line)
{
	char text[160];

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "\n"), line);
	if (level & LLL_ERR)
		LOG_THROTTLED(LOG_LEVEL_WARN, "websocket", "library=%s", log_value(text));
	else
		LOG_THROTTLED(LOG_LEVEL_DEBUG, "websocket", "library=%s", log_value(text));
}

err_t channel_server_open(struct channel_server **out, const struct channel_server_options *options)
{
	struct channel_server *server = xcalloc(1, sizeof(*server));
	void *loops[] = { options->loop };
	bool tls = *options->tls_cert != '\0';
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.protocols = protocols,
		.foreign_loops = loops,
		.user = server,
		.vhost_name = "lanyard",
		.alpn = "http/1.1",
		.ssl_cert_filepath = tls ? options->tls_cert : NULL,
		.ssl_private_key_filepath = tls ? options->tls_key : NULL,
		.pt_serv_buf_size = BUFFER_LEN,
		.max_http_header_data = HEADERS_MAX,
		.timeout_secs = HANDSHAKE_S,
		.retry_and_idle_policy = &no_pings,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
			   (tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0),
	};

	lws_set_log_level(LLL_ERR | LLL_WARN, log_library);
	server->options = *options;
	server->context = lws_create_context(&info);
	if (server->context)
		server->vhost = lws_create_vhost(server->context, &info);
	*out = server;
	if (server->vhost)
		return OK;
	log_error("websocket_failed", "cert=%s key=%s", log_value(options->tls_cert),
		log_value(options->tls_key));
	return ERR_UNAVAILABLE;
}

void channel_server_accepted(struct channel_server *server, int fd)
{
	lws_sock_file_fd_type descriptor = { .sockfd = fd };

	/* The library closes the socket itself when it can't take it. */
	lws_adopt_descriptor_vhost(server->vhost,
		LWS_ADOPT_HTTP | LWS_ADOPT_SOCKET | LWS_ADOPT_ALLOW_SSL, descriptor, NULL, NULL);
}

static void on_drain_closed(uv_handle_t *handle)
{
	struct channel_server *server = handle->data;

	server->ended(server->ended_arg);
}

static void on_drain_tick(uv_timer_t *timer)
{
	struct channel_server *server = timer->data;

	if (server->channels && clock_ms() < server->drain_until_ms)
		return;
	uv_timer_stop(timer);
	lws_context_destroy(
		server->context); /* only begins it: handles close while the loop runs */
	uv_close((uv_handle_t *)timer, on_drain_closed);
}

void channel_server_close(
	struct channel_server *server, unsigned ms, void (*ended)(void *arg), void *arg)
{
	server->ended = ended;
	server->ended_arg = arg;
	server->drain_until_ms = clock_ms() + ms;
	for (struct channel *channel = server->channels; channel; channel = channel->next)
		channel_close(channel, WS_STATUS_GOING_AWAY, "the node is stopping");
	uv_timer_init(server->options.loop, &server->drain);
	server->drain.data = server;
	uv_timer_start(&server->drain, on_drain_tick, 0, DRAIN_TICK_MS);
}

void channel_server_destroy(struct channel_server *server)
{
	if (!server)
		return;
	lws_context_destroy(server->context); /* NULL is fine */
	free(server);
}
