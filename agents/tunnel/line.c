/* line: see line.h. */
#include "agents/tunnel/line.h"

#include "agents/backoff.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <sys/epoll.h>

struct line {
	struct line_options options;
	struct opening *opening; /* until it is open */
	struct uplink *uplink;
	struct visits *visits;
	struct loop_watch socket;
	uint32_t events;
	struct loop_timer timer; /* to look whether the node is there */
	struct loop_timer turn;	 /* to flush what a turn of the loop has written, or to read on */
	bool more;		 /* to be read */
	bool over;
	int64_t opened_ms, pinged_ms;
};

/* Nothing more is done with it: it may be gone when this returns. */
static void end(struct line *line, struct ending ending, const char *why)
{
	if (line->over)
		return;
	line->over = true;
	if (line->opened_ms > 0)
		ending.lasted_ms = clock_ms() - line->opened_ms + 1;
	line->options.ended(line->options.context, line, &ending, why);
}

/* ---- while it is open ---- */

static void watch(struct line *line)
{
	uint32_t events = EPOLLIN | (uplink_is_blocked(line->uplink) ? EPOLLOUT : 0);

	if (events != line->events)
		loop_change(line->options.loop, &line->socket, events);
	line->events = events;
}

/* False: it is over. */
static bool follow(struct line *line, enum uplink_result result)
{
	switch (result) {
	case UPLINK_CLOSED:
		uplink_close(line->uplink, WS_STATUS_NORMAL);
		(void)uplink_flush(line->uplink);
		end(line, (struct ending){ END_CLOSED, uplink_status(line->uplink), 0 },
			uplink_why(line->uplink));
		return false;
	case UPLINK_LOST:
		end(line, (struct ending){ .how = END_LOST }, uplink_why(line->uplink));
		return false;
	case UPLINK_MORE:
		line->more = true;
		loop_set_timer(line->options.loop, &line->turn, clock_ms());
		break;
	case UPLINK_DONE:
		break;
	}
	watch(line);
	return true;
}

static bool flush(struct line *line)
{
	enum uplink_result result = uplink_flush(line->uplink);

	if (result == UPLINK_DONE && !uplink_is_blocked(line->uplink))
		visits_resume(line->visits);
	return follow(line, result);
}

static void on_turn(void *context)
{
	struct line *line = context;
	bool more = line->more;

	line->more = false;
	if (flush(line) && more)
		(void)follow(line, uplink_receive(line->uplink));
}

static void on_wrote(void *context)
{
	struct line *line = context;

	if (!uplink_is_blocked(line->uplink))
		loop_set_timer(line->options.loop, &line->turn, clock_ms());
}

static void on_socket(void *context, uint32_t events)
{
	struct line *line = context;

	if ((events & EPOLLOUT) && !flush(line))
		return;
	if (follow(line, uplink_receive(line->uplink)))
		on_wrote(line); /* pongs */
}

static bool on_frame(void *context, const struct mux_frame *frame)
{
	struct line *line = context;

	if (frame->stream != MUX_LINK)
		return visits_take(line->visits, frame);
	if (frame->type == MUX_END)
		line->options.retires(line->options.context, line);
	return true; /* of a later version, what it does not know */
}

static void on_timer(void *context)
{
	struct line *line = context;
	int64_t now_ms = clock_ms(), next_ms = now_ms;

	switch (keepalive_look(
		now_ms, uplink_heard_ms(line->uplink), line->pinged_ms, true, &next_ms)) {
	case KEEPALIVE_DEAD:
		end(line, (struct ending){ .how = END_LOST },
			"nothing was heard from the node for 30 s");
		return;
	case KEEPALIVE_PING:
		line->pinged_ms = now_ms;
		uplink_ping(line->uplink);
		on_wrote(line);
		break;
	case KEEPALIVE_WAIT:
		break;
	}
	loop_set_timer(line->options.loop, &line->timer, next_ms);
}

/* ---- connecting ---- */

static void begin(struct line *line, const struct opened *opened)
{
	struct loop *loop = line->options.loop;

	line->opened_ms = clock_ms();
	line->more = true; /* records that TLS has read already make no event */
	line->events = EPOLLIN;
	line->uplink = uplink_create(opened->carrier, on_frame, line);
	line->visits = visits_create(&(struct visits_options){
		.loop = loop,
		.uplink = line->uplink,
		.tls = line->options.tls,
		.http = line->options.http,
		.context = line,
		.wrote = on_wrote,
	});
	line->socket = (struct loop_watch){ opened->fd, on_socket, line };
	loop_add(loop, &line->socket, EPOLLIN);
	loop_set_timer(loop, &line->timer, line->opened_ms + KEEPALIVE_PING_MS);
	loop_set_timer(loop, &line->turn, line->opened_ms);
}

static void on_opened(void *context, const struct opened *opened)
{
	struct line *line = context;

	begin(line, opened);
	if (!opened->protocol) {
		line->opened_ms = 0;
		end(line, (struct ending){ .how = END_UNREACHABLE },
			"the node does not know tunnels");
		return;
	}
	line->options.opened(line->options.context, line);
	if (!follow(line, uplink_take(line->uplink, opened->rest, opened->rest_len)))
		return;
	opening_destroy(line->opening);
	line->opening = NULL;
}

static void on_failed(void *context, const struct opening_failure *failure)
{
	end(context, failure->ending, failure->why);
}

/* ---- life ---- */

struct line *line_create(const struct line_options *options)
{
	struct line *line = xcalloc(1, sizeof(*line));

	line->options = *options;
	line->timer = (struct loop_timer){ .fire = on_timer, .context = line };
	line->turn = (struct loop_timer){ .fire = on_turn, .context = line };
	line->opening = opening_create(&(struct opening_options){
		.loop = options->loop,
		.fetcher = options->fetcher,
		.trust = options->trust,
		.congestion = options->congestion,
		.request = { .url = options->url,
			.authorization = options->authorization,
			.protocol = MUX_PROTOCOL },
		.context = line,
		.opened = on_opened,
		.failed = on_failed,
	});
	return line;
}

void line_destroy(struct line *line)
{
	struct loop *loop;

	if (line == NULL)
		return;
	loop = line->options.loop;
	opening_destroy(line->opening);
	loop_clear_timer(loop, &line->timer);
	loop_clear_timer(loop, &line->turn);
	if (line->uplink != NULL) {
		visits_destroy(line->visits);
		loop_remove(loop, &line->socket);
		uplink_destroy(line->uplink);
	}
	free(line);
}

bool line_is_open(const struct line *line)
{
	return line->opened_ms > 0;
}

void line_figures(const struct line *line, struct visits_figures *figures)
{
	*figures = (struct visits_figures){ 0 };
	if (line->visits != NULL)
		visits_figures(line->visits, figures);
}
