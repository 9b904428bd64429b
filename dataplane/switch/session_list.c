/*
 * session_list: sessions, and what happened in their networks, as the API shows them.
 */
#include "dataplane/switch/frame.h"
#include "dataplane/switch/session_struct.h"
#include "lib/call.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <string.h>

static bool is_listed(const struct session *session, const char *tenant,
	const Dataplane__ListSessionsRequest *request)
{
	if (!session_is_live(session) || strcmp(session->id, request->cursor) <= 0)
		return false;
	if (strcmp(tenant, CALL_FLEET) != 0 && strcmp(tenant, session->tenant) != 0)
		return false;
	if (*request->id != '\0' && strcmp(request->id, session->id) != 0)
		return false;
	return *request->network == '\0' || strcmp(request->network, session->network) == 0;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp((*(struct session *const *)a)->id, (*(struct session *const *)b)->id);
}

static Dataplane__Drops *describe_drops(const struct session *session, struct arena *arena)
{
	Dataplane__Drops *drops = arena_alloc(arena, sizeof(*drops));

	dataplane__drops__init(drops);
	drops->length = session->drops[DROP_LENGTH];
	drops->source = session->drops[DROP_SOURCE];
	drops->destination = session->drops[DROP_DESTINATION];
	drops->policy = session->drops[DROP_POLICY];
	drops->storm = session->drops[DROP_STORM];
	drops->loop = session->drops[DROP_LOOP];
	drops->queue = session->drops[DROP_QUEUE];
	drops->late = session->drops[DROP_LATE];
	drops->offload = session->drops[DROP_OFFLOAD];
	return drops;
}

static Dataplane__Session *describe(struct session *session, const char *node, struct arena *arena)
{
	Dataplane__Session *item = arena_alloc(arena, sizeof(*item));
	char started_at[CLOCK_TEXT_LEN], mac[FRAME_MAC_TEXT] = "";

	if (session->port.mac != 0)
		frame_mac_format(session->port.mac, mac);
	dataplane__session__init(item);
	clock_text(session->started_at, started_at);
	item->id = arena_strdup(arena, session->id);
	item->node = (char *)node;
	item->network = arena_strdup(arena, session->network);
	item->member = arena_strdup(arena, session->port.member);
	item->subject = arena_strdup(arena, session->subject);
	item->mac = arena_strdup(arena, mac);
	item->remote_address = arena_strdup(arena, session->channel->address);
	item->started_at = arena_strdup(arena, started_at);
	item->rx_frames = session->rx_frames;
	item->rx_bytes = session->rx_bytes;
	item->tx_frames = session->outlet.n_frames;
	item->tx_bytes = session->outlet.n_bytes;
	item->dropped_frames = session_count_drops(session);
	item->drops = describe_drops(session, arena);
	item->dropped_segments = session->dropped_segments;
	item->stations = (uint32_t)switch_count_stations(&session->port, clock_ms());
	item->queue_bytes = session->outlet.fair.bytes;
	item->rtt_us = channel_rtt_us(session->channel);
	return item;
}

void sessions_list(const struct sessions *sessions, const char *tenant, const char *node,
	const Dataplane__ListSessionsRequest *request, struct arena *arena,
	Dataplane__SessionList *list)
{
	size_t limit = request->limit > 0 && request->limit < SESSION_LIST_MAX ? request->limit
									       : SESSION_LIST_MAX;
	struct session **found =
		arena_alloc(arena, (HASH_COUNT(sessions->by_id) + 1) * sizeof(*found));
	size_t n = 0;

	for (struct session *session = sessions->by_id; session; session = session->hh.next)
		if (is_listed(session, tenant, request))
			found[n++] = session;
	qsort(found, n, sizeof(*found), compare_ids);
	n = n < limit ? n : limit;
	list->items = arena_alloc(arena, (n + 1) * sizeof(*list->items));
	for (size_t i = 0; i < n; i++)
		list->items[i] = describe(found[i], node, arena);
	list->n_items = n;
}

void sessions_list_events(const struct sessions *sessions, const char *tenant, const char *node,
	const Dataplane__ListNetworkEventsRequest *request, struct arena *arena,
	Dataplane__NetworkEventList *list)
{
	journal_list(sessions->journal, tenant, node, request, arena, list);
}

void sessions_visit(const struct sessions *sessions, const char *tenant, const char *network,
	void (*visit)(void *context, const struct session_view *view), void *context)
{
	for (const struct session *session = sessions->by_id; session; session = session->hh.next) {
		struct stream_path path;
		struct session_view view = {
			.number = session->number,
			.port = &session->port,
			.address = session->channel->address,
			.user = session->user ? session->user : session->subject,
			.dn = session->dn ? session->dn : "",
			.started_at = session->started_at,
		};

		if (!session_is_in(session, tenant, network))
			continue;
		stream_path(session->channel->stream, &path);
		view.received = path.received;
		view.sent = path.sent;
		visit(context, &view);
	}
}
