/* visits: see visits.h. */
#include "agents/tunnel/visits.h"

#include "lib/hash.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define STREAMS_MAX 4096
#define SYN_TRIES   3 /* about 15 s */

struct visit {
	struct visits *visits;
	uint32_t stream;
	struct loop_watch socket;
	uint32_t events; /* that are watched for; 0: not in the loop */
	bool connecting;
	bool parked;	  /* in visits.parked: the uplink had no room */
	bool node_ended;  /* no more comes from the visitor */
	bool shut;	  /* the local service was told so */
	bool local_ended; /* no more goes to it */
	uint32_t credit;  /* bytes that may be sent to the node */
	struct mux_grant grant;
	uint8_t *queue; /* came, and was not taken by the local service */
	size_t at, queued;
	struct visit *next; /* visits.parked */
	UT_hash_handle hh;  /* visits.streams */
};

struct visits {
	struct visits_options options;
	struct visit *streams;
	struct visit *parked;
	uint32_t budget;
	struct visits_figures figures;
};

struct visits *visits_create(const struct visits_options *options)
{
	struct visits *visits = xcalloc(1, sizeof(*visits));

	visits->options = *options;
	visits->budget = MUX_BUDGET;
	return visits;
}

/* ---- frames ---- */

static void write_frame(struct visits *visits, const uint8_t *frame, size_t len)
{
	uplink_control(visits->options.uplink, frame, len);
	visits->options.wrote(visits->options.context);
}

static void write_head(struct visits *visits, enum mux_type type, uint32_t stream)
{
	uint8_t frame[MUX_CONTROL_MAX];

	write_frame(visits, frame, mux_header(frame, type, stream));
}

static void return_credit(struct visit *visit, size_t len)
{
	struct visits *visits = visit->visits;
	uint8_t frame[MUX_CONTROL_MAX];
	uint32_t credit = mux_grant_return(&visit->grant, len, &visits->budget);

	if (credit > 0)
		write_frame(visits, frame, mux_credit(frame, visit->stream, credit));
}

/* ---- life ---- */

static void set_events(struct visit *visit, uint32_t events)
{
	struct loop *loop = visit->visits->options.loop;

	if (events == visit->events)
		return;
	/* What is watched for nothing would still tell again and again that it was hung up. */
	if (events == 0)
		loop_remove(loop, &visit->socket);
	else if (visit->events == 0)
		loop_add(loop, &visit->socket, events);
	else
		loop_change(loop, &visit->socket, events);
	visit->events = events;
}

static void watch(struct visit *visit)
{
	bool reads =
		!visit->connecting && !visit->local_ended && !visit->parked && visit->credit > 0;

	set_events(visit,
		(reads ? EPOLLIN : 0) | (visit->connecting || visit->queued > 0 ? EPOLLOUT : 0));
}

static void unpark(struct visit *visit)
{
	struct visit **at = &visit->visits->parked;

	if (!visit->parked)
		return;
	while (*at != visit)
		at = &(*at)->next;
	*at = visit->next;
	visit->parked = false;
}

static void gone(struct visit *visit)
{
	struct visits *visits = visit->visits;

	set_events(visit, 0);
	unpark(visit);
	close(visit->socket.fd);
	mux_grant_finish(&visit->grant, &visits->budget);
	HASH_DELETE(hh, visits->streams, visit);
	free(visit->queue);
	free(visit);
}

static void reset(struct visit *visit)
{
	write_head(visit->visits, MUX_RESET, visit->stream);
	gone(visit);
}

/* The local service sees that this is no proper end. */
static void drop(struct visit *visit)
{
	const struct linger reset = { .l_onoff = 1 };

	setsockopt(visit->socket.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	gone(visit);
}

void visits_destroy(struct visits *visits)
{
	if (visits == NULL)
		return;
	while (visits->streams != NULL)
		drop(visits->streams);
	free(visits);
}

/* After something has ended: forgets it when both have. */
static void settle(struct visit *visit)
{
	if (visit->node_ended && !visit->shut && visit->queued == 0 && !visit->connecting) {
		visit->shut = true;
		shutdown(visit->socket.fd, SHUT_WR);
	}
	if (visit->shut && visit->local_ended)
		gone(visit);
	else
		watch(visit);
}

/* ---- to the local service ---- */

/* Sends some; how much was taken. False: the connection is broken. */
static bool send_some(struct visit *visit, const uint8_t *data, size_t len, size_t *taken)
{
	ssize_t n = send(visit->socket.fd, data, len, MSG_NOSIGNAL);

	*taken = n > 0 ? (size_t)n : 0;
	visit->visits->figures.received += *taken;
	return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static void keep(struct visit *visit, const uint8_t *data, size_t len)
{
	if (visit->at > 0)
		memmove(visit->queue, visit->queue + visit->at, visit->queued);
	visit->at = 0;
	visit->queue = xrealloc(visit->queue, visit->queued + len);
	memcpy(visit->queue + visit->queued, data, len);
	visit->queued += len;
}

static bool take_data(struct visit *visit, const struct mux_frame *frame)
{
	size_t taken = 0;

	if (visit->node_ended || !mux_grant_take(&visit->grant, frame->len))
		return false;
	if (visit->queued == 0 && !visit->connecting &&
		!send_some(visit, frame->data, frame->len, &taken)) {
		reset(visit);
		return true;
	}
	if (taken > 0)
		return_credit(visit, taken);
	if (taken < frame->len) {
		keep(visit, frame->data + taken, frame->len - taken);
		watch(visit);
	}
	return true;
}

/* False: it is gone. */
static bool drain(struct visit *visit)
{
	size_t taken;

	if (visit->queued == 0)
		return true;
	if (!send_some(visit, visit->queue + visit->at, visit->queued, &taken)) {
		reset(visit);
		return false;
	}
	visit->at += taken;
	visit->queued -= taken;
	if (taken > 0)
		return_credit(visit, taken);
	if (visit->queued == 0) {
		free(visit->queue);
		visit->queue = NULL;
		visit->at = 0;
	}
	return true;
}

/* ---- from the local service ---- */

static void park(struct visit *visit)
{
	struct visits *visits = visit->visits;

	visit->parked = true;
	visit->next = visits->parked;
	visits->parked = visit;
	visits->options.wrote(visits->options.context);
}

/* False: it is gone. */
static bool read_local(struct visit *visit)
{
	struct visits *visits = visit->visits;
	uint8_t *space = uplink_space(visits->options.uplink);
	size_t max = visit->credit < UPLINK_DATA_MAX ? visit->credit : UPLINK_DATA_MAX;
	ssize_t n;

	if (space == NULL) {
		park(visit);
		return true;
	}
	n = recv(visit->socket.fd, space, max, 0);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		reset(visit);
		return false;
	}
	if (n > 0) {
		uplink_data(visits->options.uplink, visit->stream, (size_t)n);
		visits->options.wrote(visits->options.context);
		visits->figures.sent += (uint64_t)n;
		visit->credit -= (uint32_t)n;
	} else if (n == 0) {
		write_head(visits, MUX_END, visit->stream);
		visit->local_ended = true;
	}
	return true;
}

/* False: there is no connection. */
static bool finish_connecting(struct visit *visit)
{
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(visit->socket.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	visit->connecting = false;
	if (error == 0)
		return true;
	LOG_THROTTLED(LOG_LEVEL_WARN, "local_service_unreachable", "cause=\"%s\"", strerror(error));
	reset(visit);
	return false;
}

static void on_ready(void *context, uint32_t events)
{
	struct visit *visit = context;

	if (visit->connecting && !finish_connecting(visit))
		return;
	if ((events & EPOLLOUT) && !drain(visit))
		return;
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && (visit->events & EPOLLIN) &&
		!read_local(visit))
		return;
	settle(visit);
}

/* ---- what the node says ---- */

static int dial(const struct visits_target *target)
{
	const int on = 1, tries = SYN_TRIES;
	int fd;

	if (target->len == 0)
		return -1;
	fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (target->address.ss_family != AF_UNIX) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &tries, sizeof(tries));
	}
	if (connect(fd, (const struct sockaddr *)&target->address, target->len) == 0 ||
		errno == EINPROGRESS)
		return fd;
	LOG_THROTTLED(LOG_LEVEL_WARN, "local_service_unreachable", "cause=\"%s\"", strerror(errno));
	close(fd);
	return -1;
}

static bool open_stream(struct visits *visits, const struct mux_frame *frame)
{
	const struct visits_options *options = &visits->options;
	struct visit *visit;
	int fd = HASH_COUNT(visits->streams) < STREAMS_MAX
			 ? dial(frame->kind == MUX_TLS ? options->tls : options->http)
			 : -1;

	visits->figures.n_visitors++;
	if (fd < 0) {
		write_head(visits, MUX_RESET, frame->stream);
		return true;
	}
	visit = xcalloc(1, sizeof(*visit));
	visit->visits = visits;
	visit->stream = frame->stream;
	visit->credit = MUX_WINDOW;
	visit->connecting = true;
	visit->socket = (struct loop_watch){ fd, on_ready, visit };
	mux_grant_init(&visit->grant);
	HASH_ADD(hh, visits->streams, stream, sizeof(visit->stream), visit);
	watch(visit);
	return true;
}

static bool take_credit(struct visit *visit, uint32_t credit)
{
	if (credit > MUX_WINDOW_MAX - visit->credit)
		return false;
	visit->credit += credit;
	watch(visit);
	return true;
}

bool visits_take(struct visits *visits, const struct mux_frame *frame)
{
	struct visit *visit;

	HASH_FIND(hh, visits->streams, &frame->stream, sizeof(frame->stream), visit);
	if (frame->type == MUX_OPEN)
		return visit == NULL && open_stream(visits, frame);
	if (visit == NULL) /* it ended while this was on its way */
		return true;
	switch (frame->type) {
	case MUX_DATA:
		return take_data(visit, frame);
	case MUX_CREDIT:
		return take_credit(visit, frame->credit);
	case MUX_END:
		visit->node_ended = true;
		settle(visit);
		return true;
	default:
		drop(visit);
		return true;
	}
}

void visits_resume(struct visits *visits)
{
	while (visits->parked != NULL) {
		struct visit *visit = visits->parked;

		unpark(visit);
		watch(visit);
	}
}

void visits_figures(const struct visits *visits, struct visits_figures *figures)
{
	*figures = visits->figures;
	figures->n_streams = HASH_COUNT(visits->streams);
}
