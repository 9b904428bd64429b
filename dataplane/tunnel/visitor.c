/*
 * visitor: see visitor.h. Until it is joined nothing of it is read.
 */
#include "dataplane/tunnel/visitor.h"

#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/relay/link.h"
#include "dataplane/tunnel/far.h"
#include "dataplane/tunnel/locate.h"
#include "lib/endpoint.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 10000 /* for an answer about its name */

#define ALERT_DECODE	   50
#define ALERT_INTERNAL	   80
#define ALERT_UNRECOGNIZED 112

struct visitor {
	struct relay_end relay; /* first */
	struct dataplane *dataplane;
	enum mux_kind kind;
	char name[HELLO_NAME_MAX];
	char *first;
	struct proxy_ends ends;
	bool far;	   /* joined with a link to another node */
	bool again;	   /* looked for once more */
	uint64_t moved;	   /* bytes, when it was last looked whether there are more */
	bool waits;	   /* in visitors.waiting */
	UT_hash_handle hh; /* visitors.waiting */
};

struct visitors {
	struct visitor *waiting;
};

struct visitors *visitors_create(void)
{
	return xcalloc(1, sizeof(struct visitors));
}

void visitors_destroy(struct visitors *visitors)
{
	free(visitors);
}

/* ---- what it is told ---- */

static void push(struct end *end, const void *data, size_t len)
{
	end_push(end,
		&(struct pipe_piece){ .data = data, .len = len, .first = true, .final = true });
}

static void push_alert(struct visitor *visitor, uint8_t alert)
{
	const uint8_t record[] = { 21, 3, 3, 0, 2, 2, alert };

	push(&visitor->relay.end, record, sizeof(record));
}

static void push_answer(struct visitor *visitor, const char *status, const char *sentence)
{
	AUTO_FREE char *answer =
		xasprintf("HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
			  "Connection: close\r\n\r\n%s\n",
			status, strlen(sentence) + 1, sentence);

	push(&visitor->relay.end, answer, strlen(answer));
}

static void tell(struct visitor *visitor, enum outcome outcome)
{
	bool tls = visitor->kind == MUX_TLS;

	switch (outcome) {
	case OUTCOME_UNKNOWN:
	case OUTCOME_NO_NAME:
		if (tls)
			push_alert(visitor, ALERT_UNRECOGNIZED);
		else
			push_answer(visitor, "404 Not Found", "Nobody is linked under this name.");
		break;
	case OUTCOME_LIMIT:
		if (tls)
			push_alert(visitor, ALERT_INTERNAL);
		else
			push_answer(visitor, "503 Service Unavailable",
				"There are too many visitors just now.");
		break;
	case OUTCOME_TOO_LONG:
		push_alert(visitor, ALERT_DECODE);
		break;
	case OUTCOME_NOT_TLS:
		if (!tls)
			push_answer(visitor, "400 Bad Request", "TLS is spoken here: use https://");
		break;
	default:
		break;
	}
}

static void stop_waiting(struct visitor *visitor)
{
	if (visitor->waits)
		HASH_DELETE(hh, visitor->dataplane->visitors->waiting, visitor);
	visitor->waits = false;
}

static void refuse(struct visitor *visitor, enum outcome outcome)
{
	counter_add(COUNTER_VISITORS + outcome, 1);
	stop_waiting(visitor);
	tell(visitor, outcome);
	end_finish(&visitor->relay.end, WS_STATUS_NORMAL, "");
}

/* ---- as an end ---- */

static struct visitor *of(struct relay_end *one)
{
	return (struct visitor *)one;
}

static void on_received(struct relay_end *one, const struct pipe_piece *piece)
{
	(void)one;
	(void)piece; /* it is refused */
}

/* Its partner is gone. One that never said anything could not serve it; a link to another node says
 * when it is a proper end. */
static void on_parted(struct relay_end *one)
{
	struct visitor *visitor = of(one);

	if (visitor->far && one->end.state == END_OPEN && one->end.tx_bytes > 0) {
		end_reset(&one->end);
		return;
	}
	if (one->end.state == END_OPEN && one->end.tx_bytes == 0 && pipe_is_empty(&one->end.out)) {
		if (visitor->kind == MUX_TLS)
			push_alert(visitor, ALERT_INTERNAL);
		else
			push_answer(visitor, "502 Bad Gateway", "The device does not answer.");
	}
	end_finish(&one->end, WS_STATUS_NORMAL, "");
}

static void on_timer(struct relay_end *one)
{
	refuse(of(one), OUTCOME_UNKNOWN);
}

static void watch_idle(struct visitor *visitor)
{
	struct end *end = &visitor->relay.end;

	visitor->moved = end->rx_bytes + end->tx_bytes;
	end_set_timer(end, (unsigned)visitor->dataplane->front_settings.idle_s * 1000);
}

static void on_idle(struct relay_end *one)
{
	struct visitor *visitor = of(one);

	if (visitor->moved != one->end.rx_bytes + one->end.tx_bytes)
		watch_idle(visitor);
	else
		end_close(&one->end, WS_STATUS_NORMAL, "");
}

static void on_closed(struct relay_end *one)
{
	struct visitor *visitor = of(one);

	stop_waiting(visitor);
	free(visitor->first);
	free(visitor);
}

static const struct relay_hooks hooks = {
	.received = on_received,
	.parted = on_parted,
	.timer = on_timer,
	.idle = on_idle,
	.closed = on_closed,
};

static struct visitor *create(
	struct dataplane *dataplane, struct stream *stream, enum mux_kind kind, const char *name)
{
	struct visitor *visitor = xcalloc(1, sizeof(*visitor));

	visitor->dataplane = dataplane;
	visitor->kind = kind;
	snprintf(visitor->name, sizeof(visitor->name), "%s", name);
	stream_ends(stream, &visitor->ends);
	end_of_stream(&visitor->relay.end, stream);
	relay_init(&visitor->relay, &hooks);
	end_set_timer(&visitor->relay.end, 0);
	return visitor;
}

/* ---- finding the device ---- */

static void join(struct visitor *visitor, struct relay_end *partner, enum outcome outcome)
{
	counter_add(COUNTER_VISITORS + outcome, 1);
	stop_waiting(visitor);
	watch_idle(visitor);
	if (visitor->first)
		push(&partner->end, visitor->first, strlen(visitor->first));
	relay_join(&visitor->relay, partner);
}

static struct visitor *find(struct dataplane *dataplane, const char *id)
{
	struct visitor *visitor;

	HASH_FIND_STR(dataplane->visitors->waiting, id, visitor);
	return visitor;
}

static struct box_visitor describe(const struct visitor *visitor)
{
	return (struct box_visitor){
		.kind = visitor->kind,
		.address = visitor->relay.end.address,
		.ends = visitor->ends,
	};
}

static void enter(struct visitor *visitor, struct box *box)
{
	const struct box_visitor told = describe(visitor);
	struct relay_end *place = boxes_enter(box, &told);

	if (place)
		join(visitor, place, OUTCOME_JOINED);
	else
		refuse(visitor, OUTCOME_LIMIT);
}

static void on_located(
	struct dataplane *dataplane, const char *id, const struct location *location);

static void ask_for(struct visitor *visitor)
{
	if (!locate(visitor->dataplane->locator, visitor->name, visitor->relay.end.id, on_located))
		refuse(visitor, OUTCOME_LIMIT);
}

/* It is not where it was said to be; what was known may be old, so it is asked about once more. */
static void miss(struct visitor *visitor)
{
	struct locator *locator = visitor->dataplane->locator;

	locate_forget(locator, visitor->name);
	if (visitor->again) {
		refuse(visitor, OUTCOME_UNKNOWN);
		return;
	}
	visitor->again = true;
	ask_for(visitor);
}

static void on_linked(struct dataplane *dataplane, const char *id, struct relay_end *far)
{
	struct visitor *visitor = find(dataplane, id);

	if (visitor && far) {
		visitor->far = true;
		join(visitor, far, OUTCOME_JOINED);
	} else if (visitor) {
		miss(visitor);
	} else if (far) {
		end_close(&far->end, WS_STATUS_NORMAL, "");
	}
}

static void on_located(struct dataplane *dataplane, const char *id, const struct location *location)
{
	struct visitor *visitor = find(dataplane, id);
	struct box_visitor told;
	struct box *box;
	char text[FAR_TEXT_MAX];

	if (!visitor)
		return;
	if ((box = boxes_find(dataplane->boxes, visitor->name))) { /* it came meanwhile */
		enter(visitor, box);
		return;
	}
	if (!location) {
		refuse(visitor, OUTCOME_UNKNOWN);
		return;
	}
	if (strcmp(location->node, dataplane->instance) == 0) {
		miss(visitor);
		return;
	}
	told = describe(visitor);
	far_write(&told, text);
	link_open_server(dataplane,
		&(struct link_request){ location->tenant, location->node, location->connection, id,
			"", text, "", visitor->relay.end.address, "" },
		on_linked);
}

static void look_for(struct visitor *visitor)
{
	struct dataplane *dataplane = visitor->dataplane;

	visitor->waits = true;
	HASH_ADD_KEYPTR(hh, dataplane->visitors->waiting, visitor->relay.end.id,
		strlen(visitor->relay.end.id), visitor);
	end_hold(&visitor->relay.end, true);
	end_set_timer(&visitor->relay.end, WAIT_MS);
	ask_for(visitor);
}

void visitor_create(struct dataplane *dataplane, struct stream *stream, const struct visit *visit)
{
	struct visitor *visitor = create(dataplane, stream, visit->kind, visit->name);
	struct box *box = boxes_find(dataplane->boxes, visit->name);

	visitor->first = visit->first ? xstrdup(visit->first) : NULL;
	if (box)
		enter(visitor, box);
	else
		look_for(visitor);
}

void visitor_refuse(struct dataplane *dataplane, struct stream *stream, enum mux_kind kind,
	enum outcome outcome)
{
	refuse(create(dataplane, stream, kind, ""), outcome);
}

/* ---- the node's own network ---- */

/* A connection that is being made takes what is written to it when it stands. */
static int dial(const char *endpoint)
{
	struct sockaddr_storage address;
	socklen_t len;
	int fd;

	if (endpoint_parse_any(endpoint, &address, &len) != OK)
		return -1;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, len) == 0 || errno == EINPROGRESS)
		return fd;
	LOG_THROTTLED(LOG_LEVEL_WARN, "passage_failed", "to=%s cause=\"%s\"", log_value(endpoint),
		strerror(errno));
	close(fd);
	return -1;
}

static void on_server_parted(struct relay_end *one)
{
	end_finish(&one->end, WS_STATUS_NORMAL, "");
}

static void on_server_closed(struct relay_end *one)
{
	free(one);
}

static const struct relay_hooks server_hooks = {
	.received = on_received,
	.parted = on_server_parted,
	.closed = on_server_closed,
};

void visitor_pass(struct dataplane *dataplane, struct stream *stream, const char *endpoint,
	bool proxy_protocol)
{
	struct visitor *visitor = create(dataplane, stream, MUX_TLS, "");
	uint8_t header[PROXY_WRITE_MAX];
	int fd = dial(endpoint);
	struct relay_end *server;

	if (fd < 0) {
		refuse(visitor, OUTCOME_LIMIT);
		return;
	}
	server = xcalloc(1, sizeof(*server));
	end_of_stream(&server->end, stream_create(dataplane->streams, fd, NULL, NULL));
	relay_init(server, &server_hooks);
	end_set_timer(&server->end, 0);
	if (proxy_protocol)
		push(&server->end, header, proxy_write(&visitor->ends, header));
	join(visitor, server, OUTCOME_OWN);
}
