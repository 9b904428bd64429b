/* session: see session.h. */
#include "agents/session.h"

#include "agents/pump.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/ws.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define OPEN_TIMEOUT_MS	 15000 /* from the first packet to the handshake's reply */
#define CLOSE_TIMEOUT_MS 2000
#define TAP_PAUSE_MS	 1000	      /* before an interface that is down is looked at again */
#define NOTSENT_LOWAT	 (128 * 1024) /* more than this waits in our queue, not in the kernel's */

struct session {
	struct session_options options;
	struct url url;
	enum { CONNECTING, SECURING, ASKING, OPEN, CLOSING, ENDED } state;
	struct fetch *fetch; /* CONNECTING */
	struct carrier *carrier;
	struct pump *pump; /* OPEN, CLOSING */
	struct loop_watch socket, tap;
	uint32_t socket_events, tap_events; /* that are watched for */
	bool tap_watched;
	struct loop_timer timer; /* what it is for depends on the state */
	struct loop_timer again; /* another turn of pump_receive */
	struct loop_timer look;	 /* at the way, for its congestion control */
	struct loop_timer tap_pause;
	bool tap_paused;
	bool l2;
	char key[WS_KEY_SIZE];
	char head[UPGRADE_HEAD_MAX]; /* the handshake's reply so far */
	size_t head_len;
	int64_t opened_ms, pinged_ms;
	struct session_end end;
};

/* ---- the end ---- */

static void stop_tap(struct session *session)
{
	if (session->tap_watched)
		loop_remove(session->options.loop, &session->tap);
	session->tap_watched = false;
}

/* Lets go of everything but the report, which the timer brings, so that whoever called us may go
 * on. */
static void finish(struct session *session)
{
	struct loop *loop = session->options.loop;

	if (session->state == ENDED)
		return;
	stop_tap(session);
	if (session->carrier != NULL) {
		loop_remove(loop, &session->socket);
		carrier_end(session->carrier);
	}
	loop_clear_timer(loop, &session->again);
	loop_clear_timer(loop, &session->look);
	loop_clear_timer(loop, &session->tap_pause);
	fetch_cancel(session->fetch);
	pump_destroy(session->pump);
	carrier_destroy(session->carrier);
	session->fetch = NULL;
	session->pump = NULL;
	session->carrier = NULL;
	session->state = ENDED;
	loop_set_timer(loop, &session->timer, clock_ms());
}

static void end(struct session *session, struct ending ending, const char *why)
{
	if (session->state == ENDED)
		return;
	if (session->opened_ms > 0)
		ending.lasted_ms = clock_ms() - session->opened_ms + 1;
	session->end.ending = ending;
	snprintf(session->end.why, sizeof(session->end.why), "%s", why);
	finish(session);
}

static void end_unreachable(struct session *session, const char *why)
{
	end(session, (struct ending){ .how = END_UNREACHABLE }, why);
}

static void end_lost(struct session *session, const char *why)
{
	end(session, (struct ending){ .how = END_LOST }, why);
}

/* ---- open: frames ---- */

/* Watches for what can be done something about now. */
static void watch(struct session *session)
{
	bool blocked = pump_is_blocked(session->pump);
	uint32_t socket_events = EPOLLIN | (blocked ? EPOLLOUT : 0);
	uint32_t tap_events = blocked || session->tap_paused ? 0 : EPOLLIN;

	if (socket_events != session->socket_events)
		loop_change(session->options.loop, &session->socket, socket_events);
	if (session->tap_watched && tap_events != session->tap_events)
		loop_change(session->options.loop, &session->tap, tap_events);
	session->socket_events = socket_events;
	session->tap_events = tap_events;
}

/* Sends a close frame and waits for the answer, for a while. */
static void begin_close(struct session *session, enum ws_status status, const char *reason)
{
	session->state = CLOSING;
	stop_tap(session);
	loop_set_timer(session->options.loop, &session->timer, clock_ms() + CLOSE_TIMEOUT_MS);
	if (pump_close(session->pump, status, reason) == PUMP_LOST)
		end_lost(session, pump_why(session->pump));
}

/* The interface is down: looked at again in a while, since the kernel keeps telling so. */
static void pause_tap(struct session *session)
{
	if (session->options.tap->gone) {
		stop_tap(session);
		session->options.tap_gone(session->options.context);
		return;
	}
	session->tap_paused = true;
	loop_set_timer(session->options.loop, &session->tap_pause, clock_ms() + TAP_PAUSE_MS);
}

static void on_close_frame(struct session *session)
{
	struct ending ending = { .how = END_CLOSED, .status = pump_status(session->pump) };

	if (session->state == OPEN)
		(void)pump_close(session->pump, WS_STATUS_NORMAL, "");
	end(session, ending, pump_why(session->pump));
}

/* Does what the pump's last turn asks for. */
static void follow(struct session *session, enum pump_result result)
{
	switch (result) {
	case PUMP_MORE:
		loop_set_timer(session->options.loop, &session->again, clock_ms());
		break;
	case PUMP_CLOSED:
		on_close_frame(session);
		break;
	case PUMP_BROKEN:
		if (session->state == OPEN)
			(void)pump_close(session->pump, pump_status(session->pump), "");
		end_lost(session, pump_why(session->pump));
		break;
	case PUMP_LOST:
		end_lost(session, pump_why(session->pump));
		break;
	case PUMP_NO_TAP:
		pause_tap(session);
		break;
	case PUMP_DONE:
		break;
	}
	if (session->state == OPEN || session->state == CLOSING)
		watch(session);
}

static void on_tap(void *context, uint32_t events)
{
	struct session *session = context;

	(void)events;
	follow(session, pump_send(session->pump));
}

static void on_tap_pause_over(void *context)
{
	struct session *session = context;

	session->tap_paused = false;
	watch(session);
}

static void on_look(void *context)
{
	struct session *session = context;

	if (!congestion_look(session->options.congestion, session->socket.fd))
		loop_set_timer(
			session->options.loop, &session->look, clock_ms() + CONGESTION_LOOK_MS);
}

static void on_again(void *context)
{
	struct session *session = context;

	follow(session, pump_receive(session->pump));
}

static void on_frames(struct session *session, uint32_t events)
{
	enum pump_result result = PUMP_DONE;

	if (events & EPOLLOUT)
		result = pump_flush(session->pump);
	if (result == PUMP_DONE)
		result = pump_receive(session->pump);
	follow(session, result);
}

static void keep_alive(struct session *session)
{
	int64_t now_ms = clock_ms(), next_ms = now_ms;
	bool answers = !session->options.vpn_ws || pump_answers(session->pump);

	switch (keepalive_look(
		now_ms, pump_heard_ms(session->pump), session->pinged_ms, answers, &next_ms)) {
	case KEEPALIVE_DEAD:
		end_lost(session, "nothing was heard from the node for 30 s");
		return;
	case KEEPALIVE_PING:
		session->pinged_ms = now_ms;
		follow(session, pump_ping(session->pump));
		break;
	case KEEPALIVE_WAIT:
		break;
	}
	if (session->state == OPEN)
		loop_set_timer(session->options.loop, &session->timer, next_ms);
}

/* ---- before: TLS and the handshake ---- */

static void open_frames(struct session *session, const struct upgrade *upgrade)
{
	struct loop *loop = session->options.loop;

	session->l2 = upgrade->l2;
	session->pump = pump_create(session->carrier, session->options.tap,
		upgrade->l2		  ? PUMP_BATCH
		: session->options.vpn_ws ? PUMP_VPN_WS
					  : PUMP_FRAME);
	session->state = OPEN;
	session->opened_ms = clock_ms();
	session->socket_events = EPOLLIN;
	session->tap_events = EPOLLIN;
	session->tap.fd = session->options.tap->fd;
	session->tap_watched = true;
	loop_change(loop, &session->socket, EPOLLIN);
	loop_add(loop, &session->tap, EPOLLIN);
	loop_set_timer(loop, &session->timer, session->opened_ms + KEEPALIVE_PING_MS);
	/* Records that TLS has read already make no further event. */
	loop_set_timer(loop, &session->again, session->opened_ms);
	loop_set_timer(loop, &session->look, session->opened_ms + CONGESTION_LOOK_MS);
	session->options.opened(session->options.context);
	follow(session, pump_take(session->pump, session->head + upgrade->head_len,
				session->head_len - upgrade->head_len));
}

static void take_reply(struct session *session)
{
	struct upgrade upgrade;
	struct fault fault;
	char why[64];

	switch (upgrade_read(&upgrade, session->head, session->head_len, session->key, &fault)) {
	case OK:
		break;
	case ERR_OUT_OF_RANGE:
		return;
	default:
		end_unreachable(session, fault.detail);
		return;
	}
	if (upgrade.status == 101) {
		open_frames(session, &upgrade);
		return;
	}
	snprintf(why, sizeof(why), "the node refused with HTTP status %u", upgrade.status);
	memcpy(session->end.location, upgrade.location, sizeof(upgrade.location));
	end(session, (struct ending){ .how = END_REFUSED, .status = upgrade.status }, why);
}

static void read_reply(struct session *session)
{
	enum tls_result result = TLS_OK;
	size_t n;

	while (result == TLS_OK && session->state == ASKING) {
		result =
			carrier_read(session->carrier, (uint8_t *)session->head + session->head_len,
				sizeof(session->head) - session->head_len, &n);
		if (result == TLS_OK) {
			session->head_len += n;
			take_reply(session);
		}
	}
	if (session->state != ASKING)
		return;
	if (result == TLS_CLOSED)
		end_unreachable(session, "the node ended the connection during the handshake");
	else if (result == TLS_FAILED)
		end_unreachable(session, carrier_why(session->carrier));
}

/* The request is smaller than a fresh socket's buffer: it is sent whole, or the connection is bad.
 */
static void ask(struct session *session)
{
	char request[UPGRADE_REQUEST_MAX];
	size_t n, len;

	ws_key(session->key);
	len = upgrade_write(request, &session->options.request);
	session->state = ASKING;
	if (carrier_write(session->carrier, (uint8_t *)request, len, &n) != TLS_OK ||
		carrier_flush(session->carrier) != TLS_OK) {
		end_unreachable(session, "the handshake's request can't be sent");
		return;
	}
	loop_change(session->options.loop, &session->socket, EPOLLIN);
	read_reply(session);
}

static void secure(struct session *session)
{
	switch (carrier_handshake(session->carrier)) {
	case TLS_OK:
		ask(session);
		break;
	case TLS_READ:
		loop_change(session->options.loop, &session->socket, EPOLLIN);
		break;
	case TLS_WRITE:
		loop_change(session->options.loop, &session->socket, EPOLLOUT);
		break;
	case TLS_CLOSED:
		end_unreachable(session, "the node ended the connection during the TLS handshake");
		break;
	case TLS_FAILED:
		end_unreachable(session, carrier_why(session->carrier));
		break;
	}
}

static void on_socket(void *context, uint32_t events)
{
	struct session *session = context;

	if (session->state == SECURING)
		secure(session);
	else if (session->state == ASKING)
		read_reply(session);
	else
		on_frames(session, events);
}

/* Only hints: a kernel without one of them works as well, if not as fast. */
static void tune_socket(int fd)
{
	int on = 1, lowat = NOTSENT_LOWAT, timeout_ms = KEEPALIVE_DEAD_MS;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof(lowat));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
}

static void on_connected(void *context, int fd, const struct fault *fault)
{
	struct session *session = context;

	session->fetch = NULL;
	if (fd < 0) {
		end_unreachable(session, fault->detail);
		return;
	}
	tune_socket(fd);
	congestion_begin(session->options.congestion, fd);
	session->carrier = carrier_create(fd,
		url_is_secure(&session->url) ? session->options.trust : NULL, session->url.host);
	session->socket.fd = fd;
	session->state = SECURING;
	loop_add(session->options.loop, &session->socket, EPOLLOUT);
	secure(session);
}

/* ---- life ---- */

static void on_timer(void *context)
{
	struct session *session = context;

	if (session->state == ENDED)
		session->options.ended(session->options.context, &session->end);
	else if (session->state == OPEN)
		keep_alive(session);
	else if (session->state == CLOSING)
		end_lost(session, "the node did not answer the close frame");
	else
		end_unreachable(session, "the node did not answer in 15 s");
}

struct session *session_create(const struct session_options *options)
{
	struct session *session = xcalloc(1, sizeof(*session));

	session->options = *options;
	session->url = *options->request.url;
	session->options.request.url = &session->url;
	session->options.request.key = session->key;
	session->socket = (struct loop_watch){ -1, on_socket, session };
	session->tap = (struct loop_watch){ -1, on_tap, session };
	session->timer = (struct loop_timer){ .fire = on_timer, .context = session };
	session->again = (struct loop_timer){ .fire = on_again, .context = session };
	session->look = (struct loop_timer){ .fire = on_look, .context = session };
	session->tap_pause = (struct loop_timer){ .fire = on_tap_pause_over, .context = session };
	loop_set_timer(options->loop, &session->timer, clock_ms() + OPEN_TIMEOUT_MS);
	session->fetch = fetch_connect(options->fetcher, &session->url, on_connected, session);
	return session;
}

void session_close(struct session *session)
{
	if (session->state == OPEN)
		begin_close(session, WS_STATUS_NORMAL, "");
	else if (session->state != CLOSING)
		end_unreachable(session, "stopped");
}

void session_destroy(struct session *session)
{
	if (session == NULL)
		return;
	finish(session);
	loop_clear_timer(session->options.loop, &session->timer);
	free(session);
}

bool session_has_l2(const struct session *session)
{
	return session->l2;
}
