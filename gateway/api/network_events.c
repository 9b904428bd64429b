/*
 * network_events: what happens in a network, as server-sent events (WHATWG HTML, 9.2), gathered
 * from all nodes each second.
 *
 * The id of an event is a cursor for each node, "NODE:NUMBER,NODE:NUMBER": a client that comes back
 * with it as Last-Event-ID goes on where it was on each of them. It stands behind the last event of
 * what was gathered at once, so some may come twice, but none is left out unless a node has
 * forgotten it, which the event "lost" says.
 */
#include "gateway/api/network_events.h"

#include "gateway/api/tables.h"
#include "lib/check.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/uuid.h"
#include "proto/dataplane.pb-c.h"
#include "proto/provision.pb-c.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAMS_MAX	   64
#define STREAMS_PER_TENANT 16
#define NODES_MAX	   64
#define LIFE_MS		   300000 /* then the client comes again, and shows who it is */
#define HEARTBEAT_MS	   15000

struct cursor {
	char node[UUID_SIZE];
	uint64_t after;
};

struct stream {
	struct feed feed; /* first */
	struct event_streams *streams;
	struct stream *next; /* streams.first */
	const char *tenant, *network;
	struct cursor cursors[NODES_MAX];
	size_t n_cursors;
	bool resumed; /* came with cursors, or has got some since */
	bool begun;
	int64_t end_ms, heartbeat_ms;
};

struct event_streams {
	pthread_mutex_t mutex; /* guards the list */
	struct stream *first;
};

struct event_streams *event_streams_create(void)
{
	struct event_streams *streams = xcalloc(1, sizeof(*streams));

	pthread_mutex_init(&streams->mutex, NULL);
	return streams;
}

void event_streams_destroy(struct event_streams *streams)
{
	if (streams == NULL)
		return;
	pthread_mutex_destroy(&streams->mutex);
	free(streams);
}

/* ---- cursors ---- */

/* The node's cursor, a new one if need be; NULL if there are too many. */
static struct cursor *cursor_of(struct stream *stream, const char *node)
{
	struct cursor *cursor;

	for (size_t i = 0; i < stream->n_cursors; i++)
		if (strcmp(stream->cursors[i].node, node) == 0)
			return &stream->cursors[i];
	if (stream->n_cursors == NODES_MAX)
		return NULL;
	cursor = &stream->cursors[stream->n_cursors++];
	snprintf(cursor->node, sizeof(cursor->node), "%s", node);
	cursor->after = 0;
	return cursor;
}

static err_t refuse_id(struct call *call)
{
	return call_refuse(call, ERR_INVALID_ARGUMENT, "Last-Event-ID",
		"expected the id of an event of this stream");
}

/* Reads "NODE:NUMBER,...". */
static err_t read_cursors(struct call *call, struct stream *stream, const char *text)
{
	while (*text != '\0') {
		char node[UUID_SIZE] = "";
		struct cursor *cursor;
		size_t n_digits;

		strncpy(node, text, sizeof(node) - 1);
		if (check_uuid(call, "", node) != OK || text[UUID_SIZE - 1] != ':')
			return refuse_id(call);
		text += UUID_SIZE;
		n_digits = strspn(text, "0123456789");
		cursor = cursor_of(stream, node);
		if (n_digits == 0 || n_digits > 18 || cursor == NULL)
			return refuse_id(call);
		cursor->after = strtoull(text, NULL, 10);
		text += n_digits;
		if (*text == ',' && text[1] != '\0')
			text++;
		else if (*text != '\0')
			return refuse_id(call);
		stream->resumed = true;
	}
	return OK;
}

static void write_id(FILE *out, const struct stream *stream)
{
	fputs("id: ", out);
	for (size_t i = 0; i < stream->n_cursors; i++)
		fprintf(out, "%s%s:%" PRIu64, i > 0 ? "," : "", stream->cursors[i].node,
			stream->cursors[i].after);
	fputs("\n\n", out);
}

/* ---- events ---- */

static Dataplane__ListNetworkEventsRequest *make_request(
	struct call *call, const struct stream *stream)
{
	Dataplane__ListNetworkEventsRequest *request = arena_alloc(call->arena, sizeof(*request));

	dataplane__list_network_events_request__init(request);
	request->network = (char *)(uintptr_t)stream->network;
	request->from_now = !stream->resumed;
	request->cursors = arena_alloc(call->arena, (NODES_MAX + 1) * sizeof(*request->cursors));
	for (size_t i = 0; i < stream->n_cursors; i++) {
		Dataplane__NetworkCursor *cursor = arena_alloc(call->arena, sizeof(*cursor));

		dataplane__network_cursor__init(cursor);
		cursor->node = (char *)(uintptr_t)stream->cursors[i].node;
		cursor->after = stream->cursors[i].after;
		request->cursors[request->n_cursors++] = cursor;
	}
	return request;
}

/* Ends the event before; the last one of all is ended by the id. */
static void write_event(FILE *out, const char *kind, const char *data)
{
	fprintf(out, "%sevent: %s\ndata: %s\n", ftell(out) > 0 ? "\n" : "", kind, data);
}

/* What one node told, and its cursor moves on. */
static void write_events(FILE *out, struct call *call, struct stream *stream, const char *node,
	const Dataplane__NetworkEventList *list)
{
	struct cursor *cursor = cursor_of(stream, node);

	if (cursor == NULL)
		return;
	if (list->lost)
		write_event(out, "lost", arena_printf(call->arena, "{\"node\":\"%s\"}", node));
	for (size_t i = 0; i < list->n_items; i++)
		write_event(out, list->items[i]->kind,
			json_write(call->arena, &list->items[i]->base, NULL));
	cursor->after = list->last;
}

/* Nodes that are not there any more need no cursor. */
static void forget_others(struct stream *stream, const struct bus_answer *answers, size_t n_answers)
{
	for (size_t i = stream->n_cursors; i-- > 0;) {
		bool is_there = false;

		for (size_t j = 0; j < n_answers && !is_there; j++)
			is_there = strcmp(stream->cursors[i].node, answers[j].instance) == 0;
		if (!is_there)
			stream->cursors[i] = stream->cursors[--stream->n_cursors];
	}
}

static void gather(FILE *out, struct call *call, struct stream *stream)
{
	const Dataplane__ListNetworkEventsRequest *request = make_request(call, stream);
	struct bus_answer *answers;
	size_t n = 0;

	if (bus_call_each(call, &dataplane__dataplane__descriptor, "ListNetworkEvents",
		    &request->base, &answers, &n) != OK ||
		n == 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (answers[i].err == OK)
			write_events(out, call, stream, answers[i].instance,
				(const void *)answers[i].reply);
	forget_others(stream, answers, n);
	stream->resumed = stream->resumed || stream->n_cursors > 0;
}

/* The id goes with what was sent last; alone it is heard, too. */
static void write_next(FILE *out, struct call *call, struct stream *stream)
{
	int64_t now_ms = clock_ms();

	gather(out, call, stream);
	if (ftell(out) == 0 && stream->begun && now_ms < stream->heartbeat_ms)
		return;
	if (!stream->begun)
		fputs("retry: 1000\n", out);
	write_id(out, stream);
	stream->begun = true;
	stream->heartbeat_ms = now_ms + HEARTBEAT_MS;
}

static const char *next(struct feed *feed, struct call *call, bool *over)
{
	struct stream *stream = (struct stream *)feed;
	AUTO_FREE char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		BUG("no memory for an event");
	write_next(out, call, stream);
	fclose(out);
	*over = clock_ms() >= stream->end_ms;
	return arena_strdup(call->arena, text);
}

/* ---- opening and closing ---- */

static void closed(struct feed *feed)
{
	struct stream *stream = (struct stream *)feed, **slot;

	pthread_mutex_lock(&stream->streams->mutex);
	for (slot = &stream->streams->first; *slot != stream; slot = &(*slot)->next)
		;
	*slot = stream->next;
	pthread_mutex_unlock(&stream->streams->mutex);
}

/* There are only so many at a time. */
static bool enlist(struct event_streams *streams, struct stream *stream)
{
	size_t n = 0, n_of_tenant = 0;
	bool fits;

	pthread_mutex_lock(&streams->mutex);
	for (const struct stream *each = streams->first; each; each = each->next) {
		n++;
		n_of_tenant += strcmp(each->tenant, stream->tenant) == 0;
	}
	fits = n < STREAMS_MAX && n_of_tenant < STREAMS_PER_TENANT;
	if (fits) {
		stream->streams = streams;
		stream->next = streams->first;
		streams->first = stream;
	}
	pthread_mutex_unlock(&streams->mutex);
	return fits;
}

static err_t check_network(struct call *call, const char *id)
{
	Provision__Ref ref = PROVISION__REF__INIT;
	const ProtobufCMessage *network;

	if (check_uuid(call, "id", id) != OK)
		return call_refuse(call, ERR_NOT_FOUND, "id", "there is nothing with this id");
	ref.id = (char *)(uintptr_t)id;
	return bus_call(call, &provision__provision__descriptor, "GetNetwork", &ref.base, &network);
}

static err_t open_stream(struct api_request *request)
{
	struct call *call = request->call;
	struct stream *stream = arena_alloc(call->arena, sizeof(*stream));
	const char *id = request->http->headers.last_event_id;
	err_t err;

	if (request->target.query.n > 0)
		return json_refuse_unknown(call, request->target.query.parameters[0].name);
	stream->tenant = call->tenant;
	stream->network = arena_strdup(call->arena, route_parameter(&request->match, "id"));
	if ((err = check_network(call, stream->network)) != OK ||
		(err = read_cursors(call, stream, id != NULL ? id : "")) != OK)
		return err;
	stream->feed = (struct feed){ .next = next, .closed = closed };
	stream->end_ms = clock_ms() + LIFE_MS;
	if (!enlist(request->api->streams, stream))
		return call_refuse(
			call, ERR_RESOURCE_EXHAUSTED, "", "expected fewer event streams at a time");
	api_send_text(request, "text/event-stream", "", 0);
	request->reply->feed = &stream->feed;
	return OK;
}

/* clang-format off */
#define SERVICE &dataplane__dataplane__descriptor

const struct route network_events_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/networks/{id}/events", "sessions:read", "ListNetworkEvents",
		.handler = open_stream),
	{ .method = NULL },
};
/* clang-format on */
