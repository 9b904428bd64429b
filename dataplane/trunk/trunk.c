/* trunk: see trunk.h. */
#include "dataplane/trunk/trunk.h"

#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/trunk/edge.h"
#include "dataplane/trunk/places.h"
#include "dataplane/trunk/seat.h"
#include "dataplane/trunk/trunk_set.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <stdio.h>
#include <string.h>

#define CONTROL_MAX (INBOX_MESSAGE_MAX - 1)

/* ---- sending ---- */

static void push_message(struct trunk *trunk, const uint8_t *message, size_t len)
{
	end_push(&trunk->far->end,
		&(struct pipe_piece){ .data = message, .len = len, .first = true, .final = true });
}

static bool has_room(void *context)
{
	const struct trunk *trunk = context;

	return trunk->state == TRUNK_OPEN && !end_is_full(&trunk->far->end);
}

static void send_frames(void *context, const uint8_t *message, size_t len)
{
	struct trunk *trunk = context;

	counter_add(COUNTER_TRUNK_TX_BYTES, (int64_t)len);
	push_message(trunk, message, len);
}

void trunk_flush(struct trunk *trunk)
{
	trunk->dirty = false;
	if (trunk->state == TRUNK_OPEN)
		outbox_flush(&trunk->outbox, (uint64_t)clock_us());
}

/* Frames that were pushed before go first: what a session said before its end counts. */
void trunk_send(struct trunk *trunk, const Trunk__Control *control)
{
	static uint8_t message[1 + CONTROL_MAX];
	size_t len = trunk__control__get_packed_size(control);

	if (trunk->state != TRUNK_OPEN)
		return;
	if (len > CONTROL_MAX)
		BUG("a message of %zu bytes for a trunk", len);
	if (trunk->dirty)
		trunk_flush(trunk);
	message[0] = TRUNK_CONTROL;
	trunk__control__pack(control, message + 1);
	push_message(trunk, message, 1 + len);
}

void trunk_push(struct trunk *trunk, enum trunk_message what, uint32_t port, struct packet *frame)
{
	if (trunk->state != TRUNK_OPEN)
		return;
	outbox_push(&trunk->outbox, what, port, frame, (uint64_t)clock_us());
	trunk->dirty = true;
	trunks_flush_soon(trunk->trunks);
}

void trunk_tell_node(struct trunk *trunk, bool stops)
{
	Trunk__Node message = TRUNK__NODE__INIT;

	message.name = (char *)(uintptr_t)trunk->trunks->dataplane->node_name;
	message.stops = stops;
	TRUNK_SEND(trunk, NODE, node, &message);
}

/* ---- receiving ---- */

static void hear_node(struct trunk *trunk, const Trunk__Node *message)
{
	if (trunks_name_good(message->name))
		snprintf(trunk->name, sizeof(trunk->name), "%s", message->name);
	if (message->stops && !trunk->stops)
		log_info("node_stops", "node=%s name=%s", trunk->node, trunk->name);
	trunk->stops = message->stops;
}

static void on_frame(void *context, enum trunk_message what, const uint32_t *ports, size_t n,
	struct packet *frame)
{
	struct trunk *trunk = context;

	counter_add(COUNTER_TRUNK_RX_BYTES, frame->len);
	if (what == TRUNK_UP)
		seat_frame(trunk, ports[0], frame);
	for (size_t i = 0; what == TRUNK_DOWN && i < n; i++)
		edge_deliver(trunk, ports[i], frame);
}

static void dispatch(struct trunk *trunk, const Trunk__Control *control)
{
	switch (control->what_case) {
	case TRUNK__CONTROL__WHAT_JOIN:
		seat_join(trunk, control->join);
		break;
	case TRUNK__CONTROL__WHAT_LEAVE:
		seat_leave(trunk, control->leave->port);
		break;
	case TRUNK__CONTROL__WHAT_ENDED:
		edge_ended(trunk, control->ended);
		break;
	case TRUNK__CONTROL__WHAT_STATIONS:
		edge_stations(trunk, control->stations);
		break;
	case TRUNK__CONTROL__WHAT_DIGEST:
		edge_digest(trunk, control->digest);
		break;
	case TRUNK__CONTROL__WHAT_RESYNC:
		seats_resync(trunk);
		break;
	case TRUNK__CONTROL__WHAT_SEEN:
		seat_seen(trunk, control->seen);
		break;
	case TRUNK__CONTROL__WHAT_HELD:
		edge_held(trunk, control->held);
		break;
	case TRUNK__CONTROL__WHAT_DROPPED:
		edge_dropped(trunk, control->dropped);
		break;
	case TRUNK__CONTROL__WHAT_MOVED:
		places_moved(trunk->trunks->places, control->moved);
		break;
	case TRUNK__CONTROL__WHAT_EDGES:
		trunks_meet(trunk->trunks, control->edges);
		break;
	case TRUNK__CONTROL__WHAT_NODE:
		hear_node(trunk, control->node);
		break;
	default: /* a sign of life, or of a later version */
		break;
	}
}

static void on_control(void *context, const uint8_t *bytes, size_t len)
{
	struct trunk *trunk = context;
	Trunk__Control *control = trunk__control__unpack(NULL, len, bytes);

	if (!control) {
		trunk_break(trunk, "a message that can't be read");
		return;
	}
	dispatch(trunk, control);
	trunk__control__free_unpacked(control, NULL);
}

static void on_received(struct end *end, const struct pipe_piece *piece)
{
	struct trunk *trunk = end->owner;

	trunk->heard_ms = clock_ms();
	if (!inbox_take(&trunk->inbox,
		    &(struct inbox_piece){ piece->data, piece->len, piece->first, piece->final }))
		trunk_break(trunk, "a message that is none");
}

static void on_drained(struct end *end)
{
	trunk_flush(end->owner);
}

/* ---- its life ---- */

/* All that was on the connection is void. */
static void forget(struct trunk *trunk)
{
	trunk->state = TRUNK_IDLE;
	trunk->since_ms = clock_ms();
	trunk->far = NULL;
	outbox_finish(&trunk->outbox);
	inbox_finish(&trunk->inbox);
	trunk->inbox = (struct inbox){ 0 };
	counter_add(COUNTER_TRUNKS, -1);
	seats_end_all(trunk);
	places_trunk_lost(trunk->trunks->places, trunk->node);
}

static void on_closed(struct end *end)
{
	struct trunk *trunk = end->owner;
	struct relay_end *far = (struct relay_end *)end;

	if (trunk && trunk->far == far) {
		log_warn("trunk_lost", "node=%s", trunk->node);
		forget(trunk);
	}
	end_finish_queue(end);
	far->hooks->closed(far);
}

static const struct end_face face = {
	.received = on_received,
	.drained = on_drained,
	.closed = on_closed,
};

/* Its end comes later, to nobody. */
static void on_stray(struct end *end, const struct pipe_piece *piece)
{
	(void)end;
	(void)piece;
}

static const struct end_face stray_face = { .received = on_stray, .closed = on_closed };

void trunk_drop_end(struct relay_end *far)
{
	far->end.owner = NULL;
	far->end.face = &stray_face;
	end_close(&far->end, WS_STATUS_NORMAL, "");
}

void trunk_break(struct trunk *trunk, const char *why)
{
	struct relay_end *far = trunk->far;

	if (trunk->state != TRUNK_OPEN)
		return;
	log_warn("trunk_broken", "node=%s reason=%s", trunk->node, log_value(why));
	forget(trunk);
	trunk_drop_end(far);
}

void trunk_begin(struct trunk *trunk, struct relay_end *far)
{
	trunk->far = far;
	trunk->state = TRUNK_OPEN;
	trunk->since_ms = trunk->heard_ms = clock_ms();
	trunk->heard_sequence = trunk->told_sequence = 0;
	trunk->resync = trunk->stops = false;
	*trunk->name = '\0';
	trunk->outbox =
		(struct outbox){ .has_room = has_room, .send = send_frames, .context = trunk };
	outbox_init(&trunk->outbox);
	trunk->inbox = (struct inbox){ .seed = trunk->trunks->seed,
		.control = on_control,
		.frame = on_frame,
		.context = trunk };
	far->end.face = &face;
	far->end.owner = trunk;
	counter_add(COUNTER_TRUNKS, 1);
	log_info("trunk_open", "node=%s address=%s", trunk->node, far->end.address);
	trunk_tell_node(trunk, places_draining(trunk->trunks->places));
	places_trunk_opened(trunk->trunks->places, trunk);
}

uint64_t trunk_sum(uint64_t sum, uint32_t port, uint64_t mac)
{
	uint64_t x = (mac << 16) ^ (port * 0x9e3779b97f4a7c15ULL);

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return sum + (x ^ (x >> 31));
}
