/* session: see session.h. */
#include "agents/session.h"

#include "agents/opening.h"
#include "agents/pump/pump.h"

#include "lib/clock.h"
#include "lib/l2.h"
#include "lib/mem.h"
#include "lib/ws.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#define CLOSE_TIMEOUT_MS 2000
#define TAP_PAUSE_MS	 1000 /* before an interface that is down is looked at again */

struct session {
	struct session_options options;
	struct url url;
	enum { OPENING, OPEN, CLOSING, ENDED } state;
	struct opening *opening;
	struct carrier *carrier;
	struct pump *pump; /* OPEN, CLOSING */
	struct loop_watch socket, tap;
	uint32_t socket_events, tap_events; /* that are watched for */
	bool tap_watched;
	struct loop_timer timer; /* what it is for depends on the state */
	struct loop_timer again; /* another turn of pump_receive */
	struct loop_timer look;	 /* at the way, for its congestion control */
	struct congestion_mark mark;
	struct loop_timer tap_pause;
	bool tap_paused;
	bool l2;
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
	opening_destroy(session->opening);
	pump_destroy(session->pump);
	carrier_destroy(session->carrier);
	session->opening = NULL;
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

static void end_lost(struct session *session, const char *why)
{
	end(session, (struct ending){ .how = END_LOST }, why);
}

/* ---- open: frames ---- */

/* Watches for what can be done something about now. */
static void watch(struct session *session)
{
	uint32_t socket_events = EPOLLIN | (pump_waits(session->pump) ? EPOLLOUT : 0);
	uint32_t tap_events = session->tap_paused ? 0 : EPOLLIN;

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
		(void)pump_close(session->pump, ending.status, "");
	end(session, ending, pump_why(session->pump));
}

/* Does what the pump's last turn asks for. */
static void follow(struct session *session, enum pump_result result)
{
	uint32_t window_ms;

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
	if (session->state == OPEN && pump_moves(session->pump, &window_ms))
		session->options.moves(session->options.context, window_ms);
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

	if (!congestion_look(session->options.congestion, session->socket.fd, &session->mark))
		loop_set_timer(
			session->options.loop, &session->look, clock_ms() + CONGESTION_LOOK_MS);
}

static void on_again(void *context)
{
	struct session *session = context;

	follow(session, pump_receive(session->pump));
}

static void on_socket(void *context, uint32_t events)
{
	struct session *session = context;
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

/* ---- before ---- */

static void on_opened(void *context, const struct opened *opened)
{
	struct session *session = context;
	struct loop *loop = session->options.loop;

	session->carrier = opened->carrier;
	session->l2 = opened->protocol;
	session->pump = pump_create(&(struct pump_options){
		.carrier = session->carrier,
		.tap = session->options.tap,
		.format = opened->protocol	    ? PUMP_BATCH
			  : session->options.vpn_ws ? PUMP_VPN_WS
						    : PUMP_FRAME,
		.mtu = session->options.mtu,
	});
	session->state = OPEN;
	session->opened_ms = clock_ms();
	session->socket.fd = opened->fd;
	session->socket_events = EPOLLIN;
	session->tap_events = EPOLLIN;
	session->options.opened(session->options.context, session);
	session->tap.fd = session->options.tap->fd;
	session->tap_watched = true;
	loop_add(loop, &session->socket, EPOLLIN);
	loop_add(loop, &session->tap, EPOLLIN);
	loop_set_timer(loop, &session->timer, session->opened_ms + KEEPALIVE_PING_MS);
	/* Records that TLS has read already make no further event. */
	loop_set_timer(loop, &session->again, session->opened_ms);
	loop_set_timer(loop, &session->look, session->opened_ms + CONGESTION_LOOK_MS);
	follow(session, pump_take(session->pump, opened->rest, opened->rest_len));
}

static void on_failed(void *context, const struct opening_failure *failure)
{
	struct session *session = context;

	memcpy(session->end.location, failure->location, sizeof(session->end.location));
	end(session, failure->ending, failure->why);
}

/* ---- life ---- */

static void on_timer(void *context)
{
	struct session *session = context;

	if (session->state == ENDED)
		session->options.ended(session->options.context, session, &session->end);
	else if (session->state == OPEN)
		keep_alive(session);
	else
		end_lost(session, "the node did not answer the close frame");
}

struct session *session_create(const struct session_options *options)
{
	struct session *session = xcalloc(1, sizeof(*session));

	session->options = *options;
	session->url = *options->request.url;
	session->options.request.url = &session->url;
	session->options.request.protocol = L2_PROTOCOL;
	session->socket = (struct loop_watch){ -1, on_socket, session };
	session->tap = (struct loop_watch){ -1, on_tap, session };
	session->timer = (struct loop_timer){ .fire = on_timer, .context = session };
	session->again = (struct loop_timer){ .fire = on_again, .context = session };
	session->look = (struct loop_timer){ .fire = on_look, .context = session };
	session->tap_pause = (struct loop_timer){ .fire = on_tap_pause_over, .context = session };
	session->opening = opening_create(&(struct opening_options){
		.loop = options->loop,
		.fetcher = options->fetcher,
		.trust = options->trust,
		.congestion = options->congestion,
		.request = session->options.request,
		.context = session,
		.opened = on_opened,
		.failed = on_failed,
	});
	return session;
}

void session_close(struct session *session)
{
	if (session->state == OPEN)
		begin_close(session, WS_STATUS_NORMAL, "");
	else if (session->state != CLOSING)
		end(session, (struct ending){ .how = END_UNREACHABLE }, "stopped");
}

void session_retire(struct session *session)
{
	stop_tap(session);
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

const struct fair *session_queue(const struct session *session)
{
	return session->pump != NULL ? pump_queue(session->pump) : NULL;
}
