/*
 * monitor: see monitor.h. A monitor that reads too slowly misses seconds.
 */
#include "dataplane/nymea/monitor.h"

#include "dataplane/dataplane.h"
#include "dataplane/nymea/log_engine.h"
#include "dataplane/nymea/statistics.h"
#include "dataplane/relay/end.h"
#include "lib/mem.h"

#include <jansson.h>

#include <string.h>

#define SECOND_MS    1000
#define REQUEST_MAX  1024
#define WATCHERS_MAX 16

struct watcher {
	struct end end;
	struct monitor *monitor;
	bool asks;		      /* else it is pushed to */
	struct watcher *next, **link; /* monitor.watchers */
};

struct monitor {
	struct nymea *nymea;
	struct listener *listener;
	struct log_engine *log_engine;
	uv_timer_t timer;
	struct watcher *watchers;
	unsigned n_watchers;
	uint64_t bytes;	     /* at the last second */
	uint64_t throughput; /* since then */
};

/* ---- a monitor ---- */

static void on_received(struct end *end, const struct pipe_piece *piece)
{
	struct watcher *watcher = end->owner;
	json_t *request = piece->len <= REQUEST_MAX
				  ? json_loadb((const char *)piece->data, piece->len, 0, NULL)
				  : NULL;
	const char *method = json_string_value(json_object_get(request, "method"));
	const json_t *params = json_object_get(request, "params");

	if (method && strcmp(method, "refresh") == 0) {
		AUTO_FREE char *line =
			statistics_pull(watcher->monitor->nymea, watcher->monitor->throughput,
				json_is_true(json_object_get(params, "printAll")));

		watcher->asks = true;
		end_say(end, line);
	} else {
		end_close(end, WS_STATUS_NORMAL, "");
	}
	json_decref(request);
}

static void on_closed(struct end *end)
{
	struct watcher *watcher = end->owner;

	watcher->monitor->n_watchers--;
	*watcher->link = watcher->next;
	if (watcher->next)
		watcher->next->link = watcher->link;
	end_finish_queue(end);
	free(watcher);
}

static const struct end_face face = { .received = on_received, .closed = on_closed };

static void on_accepted(void *context, struct stream *stream)
{
	struct monitor *monitor = context;
	struct watcher *watcher = xcalloc(1, sizeof(*watcher));

	watcher->monitor = monitor;
	watcher->next = monitor->watchers;
	watcher->link = &monitor->watchers;
	if (watcher->next)
		watcher->next->link = &watcher->next;
	monitor->watchers = watcher;
	watcher->end.face = &face;
	watcher->end.owner = watcher;
	end_of_stream(&watcher->end, stream);
	end_set_timer(&watcher->end, 0);
	if (++monitor->n_watchers > WATCHERS_MAX)
		end_close(&watcher->end, WS_STATUS_NORMAL, "");
}

/* ---- each second ---- */

static void push(struct monitor *monitor)
{
	AUTO_FREE char *line = NULL;

	for (struct watcher *watcher = monitor->watchers; watcher; watcher = watcher->next) {
		if (watcher->asks || !pipe_is_empty(&watcher->end.out))
			continue;
		if (!line)
			line = statistics_push(monitor->nymea, monitor->throughput);
		end_say(&watcher->end, line);
	}
}

static void on_second(uv_timer_t *timer)
{
	struct monitor *monitor = timer->data;
	uint64_t bytes = statistics_bytes(monitor->nymea);
	unsigned connections, tunnels;

	monitor->throughput = bytes - monitor->bytes;
	monitor->bytes = bytes;
	push(monitor);
	if (!monitor->log_engine)
		return;
	statistics_count(monitor->nymea, &connections, &tunnels);
	log_engine_second(monitor->log_engine, tunnels, connections, monitor->throughput);
}

err_t monitor_open(struct monitor **out, struct nymea *nymea)
{
	const struct nymea_settings *settings = nymea->settings;
	struct monitor *monitor = xcalloc(1, sizeof(*monitor));
	struct listener_options options = {
		.loop = loop_uv(nymea->dataplane->loop),
		.door = { .listen = settings->monitor_socket, .mode = 0600 },
		.streams = nymea->dataplane->streams,
		.accepted = on_accepted,
		.context = monitor,
	};

	*out = monitor;
	monitor->nymea = nymea;
	if (*settings->log_engine != '\0')
		monitor->log_engine = log_engine_create(settings->log_engine);
	if (*settings->log_engine == '\0' && *settings->monitor_socket == '\0')
		return OK;
	uv_timer_init(options.loop, &monitor->timer);
	monitor->timer.data = monitor;
	uv_timer_start(&monitor->timer, on_second, SECOND_MS, SECOND_MS);
	return *settings->monitor_socket == '\0' ? OK : listener_open(&monitor->listener, &options);
}

void monitor_close(struct monitor *monitor)
{
	if (!monitor)
		return;
	listener_close(monitor->listener);
	if (monitor->timer.data)
		uv_close((uv_handle_t *)&monitor->timer, NULL);
}

void monitor_destroy(struct monitor *monitor)
{
	if (!monitor)
		return;
	log_engine_destroy(monitor->log_engine);
	free(monitor);
}

struct log_engine *monitor_log_engine(const struct monitor *monitor)
{
	return monitor ? monitor->log_engine : NULL;
}
