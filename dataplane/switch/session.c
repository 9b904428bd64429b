/*
 * session: messages become frames for the switch, frames from the switch become messages.
 */
#include "dataplane/switch/session.h"

#include "dataplane/counters.h"
#include "dataplane/switch/frame.h"
#include "dataplane/switch/switch.h"
#include "lib/call.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/revoked.h"

#include <stdio.h>
#include <string.h>

struct session {
	struct port port; /* first: what the switch gives back is the session */
	struct sessions *sessions;
	struct channel *channel;
	const char *id; /* the connection's */
	char tenant[UUID_SIZE];
	char network[UUID_SIZE];
	char subject[64];
	int64_t issued_at; /* of the token */
	int64_t policy_version;
	struct switch_rules rules; /* of the network, as the token has them */
	int64_t started_at;
	struct packet *partial; /* message whose end has not come yet */
	struct queue queue;	/* what waits to be written */
	uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes;
	uint64_t drops[DROP_N];
	UT_hash_handle hh; /* sessions.by_id */
};

struct sessions {
	struct switch_ctx *ctx;
	struct session *by_id;
};

static bool is_live(const struct session *session)
{
	return session->port.domain != NULL;
}

static uint64_t count_drops(const struct session *session)
{
	uint64_t n = 0;

	for (size_t why = 0; why < DROP_N; why++)
		n += session->drops[why];
	return n;
}

static void detach(struct session *session, const char *reason)
{
	if (!is_live(session))
		return;
	switch_detach(session->sessions->ctx, &session->port);
	counter_add(COUNTER_SESSIONS, -1);
	log_info("session_ended", "session=%s reason=%s rx_frames=%llu tx_frames=%llu dropped=%llu",
		session->id, log_value(reason), (unsigned long long)session->rx_frames,
		(unsigned long long)session->tx_frames, (unsigned long long)count_drops(session));
}

static void end(struct session *session, enum ws_status code, const char *reason)
{
	detach(session, reason);
	channel_close(session->channel, code, reason);
}

static void drop(struct session *session, enum drop why)
{
	session->drops[why]++;
	counter_add(COUNTER_DROPPED + why, 1);
}

static void deliver(struct port *port, struct packet *frame)
{
	struct session *session = (struct session *)port;

	if (!queue_push(&session->queue, frame)) {
		drop(session, DROP_QUEUE);
		return;
	}
	channel_wake(session->channel);
	session->tx_frames++;
	session->tx_bytes += frame->len;
	counter_add(COUNTER_TX_FRAMES, 1);
	counter_add(COUNTER_TX_BYTES, frame->len);
}

static void forward(struct session *session, struct packet *frame)
{
	enum drop why;

	session->rx_frames++;
	session->rx_bytes += frame->len;
	counter_add(COUNTER_RX_FRAMES, 1);
	counter_add(COUNTER_RX_BYTES, frame->len);
	why = switch_forward(&session->port, frame, clock_ms());
	if (why != DROP_NONE)
		drop(session, why);
}

static void forget_partial(struct session *session)
{
	packet_unref(session->partial);
	session->partial = NULL;
}

/* Adds a piece to the message that is being joined; the whole message when this was its end. */
static struct packet *join(struct session *session, const struct channel_piece *piece)
{
	struct packet *packet = session->partial;

	if (!packet)
		packet = packet_new(piece->final ? piece->len : PACKET_MAX);
	memcpy(packet->data + packet->len, piece->data, piece->len);
	packet->len += (uint32_t)piece->len;
	session->partial = piece->final ? NULL : packet;
	return piece->final ? packet : NULL;
}

static void on_received(struct channel *channel, const struct channel_piece *piece)
{
	struct session *session = channel->owner;
	size_t before;
	struct packet *frame;

	if (piece->first)
		forget_partial(session);
	before = session->partial ? session->partial->len : 0;
	if (piece->text) {
		end(session, WS_STATUS_UNSUPPORTED, "Ethernet frames come in binary messages");
		return;
	}
	if (piece->left > SESSION_MESSAGE_MAX ||
		before + piece->len + piece->left > SESSION_MESSAGE_MAX) {
		end(session, WS_STATUS_TOO_BIG, "the message is longer than any frame");
		return;
	}
	frame = join(session, piece);
	if (!frame)
		return;
	forward(session, frame);
	packet_unref(frame);
}

static void on_opened(struct channel *channel)
{
	struct session *session = channel->owner;
	struct port *replaced;

	if (switch_attach(session->sessions->ctx, session->tenant, session->network, &session->port,
		    &replaced) != OK) {
		end(session, WS_STATUS_POLICY, "another member has this MAC address");
		return;
	}
	switch_set_rules(
		session->sessions->ctx, session->tenant, session->network, &session->rules);
	counter_add(COUNTER_SESSIONS, 1);
	log_info("session_started",
		"session=%s tenant=%s network=%s member=%s subject=%s address=%s", session->id,
		session->tenant, session->network, session->port.member,
		log_value(session->subject), channel->address);
	if (!replaced)
		return;
	counter_add(COUNTER_SESSIONS, -1);
	log_info("session_replaced", "session=%s by=%s", ((struct session *)replaced)->id,
		session->id);
	channel_close(((struct session *)replaced)->channel, WS_STATUS_POLICY,
		"the member has a new session");
}

static void on_fill(struct channel *channel)
{
	struct session *session = channel->owner;

	queue_write(&session->queue, channel);
}

static void on_closed(struct channel *channel)
{
	struct session *session = channel->owner;

	detach(session, "the connection was closed");
	forget_partial(session);
	queue_finish(&session->queue);
	HASH_DELETE(hh, session->sessions->by_id, session);
	free(session);
}

static const struct channel_face face = {
	.opened = on_opened,
	.received = on_received,
	.fill = on_fill,
	.closed = on_closed,
};

struct sessions *sessions_create(void)
{
	struct sessions *sessions = xcalloc(1, sizeof(*sessions));

	sessions->ctx = switch_create(NULL, NULL);
	return sessions;
}

void sessions_destroy(struct sessions *sessions)
{
	if (!sessions)
		return;
	if (sessions->by_id)
		BUG("%u sessions left", HASH_COUNT(sessions->by_id));
	switch_destroy(sessions->ctx);
	free(sessions);
}

bool session_claims_good(const struct token_claims *claims)
{
	uint64_t mac;

	return *claims->tenant != '\0' && *claims->network != '\0' && *claims->member != '\0' &&
	       (*claims->mac == '\0' || frame_mac_parse(claims->mac, &mac) == OK);
}

/* What the token says of the port. */
static void port_init(struct port *port, const struct token_claims *claims)
{
	if (*claims->mac != '\0' && frame_mac_parse(claims->mac, &port->mac) != OK)
		BUG("claims with a wrong MAC address");
	snprintf(port->member, sizeof(port->member), "%s", claims->member);
	port->policy = (struct port_policy){
		.mac_limit = claims->mac_limit,
		.bridge = claims->bridge,
		.isolated = claims->isolated,
		.dhcp_server = claims->dhcp_server,
		.router = claims->router,
		.address_guard = claims->address_guard,
	};
	neighbour_set_ipv4(&port->ipv4, claims->ipv4);
	neighbour_set_ipv6(&port->ipv6, claims->ipv6);
	port->deliver = deliver;
}

static struct switch_rules rules_of(const struct token_claims *claims)
{
	return (struct switch_rules){
		.version = claims->network_version,
		.no_broadcast = claims->no_broadcast,
		.no_multicast = claims->no_multicast,
		.storm_frames = claims->storm_frames,
		.storm_bytes = claims->storm_bytes,
	};
}

void session_create(
	struct sessions *sessions, struct channel *channel, const struct token_claims *claims)
{
	struct session *session = xcalloc(1, sizeof(*session));

	queue_init(&session->queue, QUEUE_BYTES_MAX);
	port_init(&session->port, claims);
	session->sessions = sessions;
	session->channel = channel;
	session->id = channel->id;
	session->issued_at = claims->issued_at;
	session->started_at = clock_unix_ms() / 1000;
	session->policy_version = claims->policy_version;
	session->rules = rules_of(claims);
	snprintf(session->tenant, sizeof(session->tenant), "%s", claims->tenant);
	snprintf(session->network, sizeof(session->network), "%s", claims->network);
	snprintf(session->subject, sizeof(session->subject), "%s", claims->subject);
	HASH_ADD_KEYPTR(hh, sessions->by_id, session->id, strlen(session->id), session);
	channel->face = &face;
	channel->owner = session;
}

/* channel_close never frees at once, so that a list may be walked while its sessions end. */
void sessions_end_subject(struct sessions *sessions, const char *subject, int64_t not_before)
{
	for (struct session *session = sessions->by_id; session; session = session->hh.next)
		if (session->issued_at < not_before &&
			revoked_means(subject, session->subject, session->tenant))
			end(session, WS_STATUS_POLICY, "revoked");
}

void sessions_end_member(struct sessions *sessions, const char *member)
{
	for (struct session *session = sessions->by_id; session; session = session->hh.next)
		if (strcmp(session->port.member, member) == 0)
			end(session, WS_STATUS_POLICY, "no longer a member of the network");
}

void sessions_renew_member(struct sessions *sessions, const char *member, int64_t policy_version)
{
	for (struct session *session = sessions->by_id; session; session = session->hh.next)
		if (strcmp(session->port.member, member) == 0 &&
			session->policy_version < policy_version)
			end(session, WS_STATUS_POLICY, "the member's policy has changed");
}

void sessions_set_rules(struct sessions *sessions, const char *tenant, const char *network,
	const struct switch_rules *rules)
{
	switch_set_rules(sessions->ctx, tenant, network, rules);
}

err_t sessions_end(struct sessions *sessions, const char *tenant, const char *id)
{
	struct session *session;

	HASH_FIND_STR(sessions->by_id, id, session);
	if (!session || !is_live(session))
		return ERR_NOT_FOUND;
	if (strcmp(tenant, CALL_FLEET) != 0 && strcmp(tenant, session->tenant) != 0)
		return ERR_NOT_FOUND;
	end(session, WS_STATUS_POLICY, "ended by an operator");
	return OK;
}

/* ---- listing ---- */

static bool is_listed(const struct session *session, const char *tenant,
	const Dataplane__ListSessionsRequest *request)
{
	if (!is_live(session) || strcmp(session->id, request->cursor) <= 0)
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

static Dataplane__Session *describe(
	const struct session *session, const char *node, struct arena *arena)
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
	item->tx_frames = session->tx_frames;
	item->tx_bytes = session->tx_bytes;
	item->dropped_frames = count_drops(session);
	return item;
}

void sessions_list(const struct sessions *sessions, const char *tenant, const char *node,
	const Dataplane__ListSessionsRequest *request, struct arena *arena,
	Dataplane__SessionList *list)
{
	size_t limit = request->limit > 0 && request->limit < SESSION_LIST_MAX ? request->limit
									       : SESSION_LIST_MAX;
	const struct session **found =
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
