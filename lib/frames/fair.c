/* fair: see fair.h. */
#include "lib/frames/fair.h"

#include "lib/mem.h"
#include "lib/segment.h"

#include <stdbool.h>

#define FLOWS	     256
#define QUANTUM	     3028 /* two frames of the usual size */
#define TARGET_US    5000
#define RECENT_US    1000000 /* a window in which is counted what leaves */
#define INTERVAL_US  100000
#define ENTRIES_KEPT 16384
#define FLOWS_KEPT   1024
#define TABLES_KEPT  64

struct entry {
	struct entry *next;
	struct packet *packet;
	uint64_t since_us;
};

struct fair_flow {
	struct fair_flow *next; /* fair.fresh, fair.old or the pool */
	struct fair_flow **bucket;
	struct entry *first, *last;
	size_t bytes;
	int64_t deficit;
	/* CoDel's */
	bool dropping;
	uint32_t count;	   /* drops since it began, they come faster and faster */
	uint64_t above_us; /* when it will have waited too long for INTERVAL_US; 0: it hasn't */
	uint64_t drop_next_us;
};

struct fair_flows {
	struct fair_flows *next;
	struct fair_flow *buckets[FLOWS];
};

/* ---- memory that is used again ---- */

struct pool {
	const size_t size;
	const unsigned keep;
	unsigned kept;
	void *free; /* each begins with a pointer to the next */
};

static struct pool entries = { .size = sizeof(struct entry), .keep = ENTRIES_KEPT };
static struct pool flows = { .size = sizeof(struct fair_flow), .keep = FLOWS_KEPT };
static struct pool tables = { .size = sizeof(struct fair_flows), .keep = TABLES_KEPT };

static void *pool_get(struct pool *pool)
{
	void **item = pool->free;

	if (!item)
		return xcalloc(1, pool->size);
	pool->free = *item;
	pool->kept--;
	*item = NULL;
	return item;
}

static void pool_put(struct pool *pool, void *item)
{
	if (pool->kept == pool->keep) {
		free(item);
		return;
	}
	*(void **)item = pool->free;
	pool->free = item;
	pool->kept++;
}

static void pool_trim(struct pool *pool)
{
	while (pool->kept > 0)
		free(pool_get(pool));
}

/* ---- flows ---- */

static void list_add(struct fair_list *list, struct fair_flow *flow)
{
	flow->next = NULL;
	if (list->first)
		list->last->next = flow;
	else
		list->first = flow;
	list->last = flow;
}

static struct fair_flow *list_take(struct fair_list *list)
{
	struct fair_flow *flow = list->first;

	list->first = flow->next;
	return flow;
}

static struct fair_flow *flow_get(struct fair *fair, uint32_t hash)
{
	struct fair_flow **bucket;

	if (!fair->flows)
		fair->flows = pool_get(&tables);
	bucket = &fair->flows->buckets[hash % FLOWS];
	if (*bucket)
		return *bucket;
	*bucket = pool_get(&flows);
	**bucket = (struct fair_flow){ .bucket = bucket, .deficit = QUANTUM };
	list_add(&fair->fresh, *bucket);
	return *bucket;
}

static void flow_forget(struct fair *fair, struct fair_flow *flow)
{
	*flow->bucket = NULL;
	pool_put(&flows, flow);
	if (fair->fresh.first || fair->old.first)
		return;
	pool_put(&tables, fair->flows); /* all of its buckets are empty */
	fair->flows = NULL;
}

static size_t cost(const struct packet *packet)
{
	return sizeof(struct entry) + packet_cost(packet);
}

/* Takes the oldest packet of the flow out; it has one. */
static struct packet *flow_take(struct fair *fair, struct fair_flow *flow)
{
	struct entry *entry = flow->first;
	struct packet *packet = entry->packet;

	flow->first = entry->next;
	flow->bytes -= cost(packet);
	fair->bytes -= cost(packet);
	fair->n--;
	pool_put(&entries, entry);
	return packet;
}

/* ---- CoDel ---- */

static uint32_t root(uint32_t value)
{
	uint32_t result = 0;

	for (uint32_t bit = 1U << 15; bit > 0; bit >>= 1)
		if ((uint64_t)(result | bit) * (result | bit) <= value)
			result |= bit;
	return result;
}

/* INTERVAL_US / sqrt(count). */
static uint64_t drop_gap_us(uint32_t count)
{
	uint32_t capped = count < 0xffff ? count : 0xffff;

	return (uint64_t)INTERVAL_US * 256 / root(capped << 16);
}

/* Has the flow's oldest packet waited too long, as all have that were taken for INTERVAL_US? One
 * that is alone is no queue, however long it is. */
static bool is_late(struct fair_flow *flow, uint64_t now_us)
{
	const struct entry *oldest = flow->first;

	if (!oldest || !oldest->next || now_us - oldest->since_us < TARGET_US) {
		flow->above_us = 0;
		return false;
	}
	if (flow->above_us == 0)
		flow->above_us = now_us + INTERVAL_US;
	return now_us >= flow->above_us;
}

/* Of a super-frame that nobody else has a part is enough to slow its sender down: whoever loses 64
 * KB at a time needs longer to recover than the way needs to run empty. */
static bool drop_segment(struct fair *fair, struct fair_flow *flow)
{
	struct packet *packet = flow->first->packet;
	size_t before = cost(packet);
	size_t dropped = packet->refs > 1
				 ? 0
				 : segment_drop_first(packet->data, packet->len, &packet->offload);

	if (dropped == 0)
		return false;
	packet->data += dropped;
	packet->len -= (uint32_t)dropped;
	flow->bytes -= before - cost(packet);
	fair->bytes -= before - cost(packet);
	return true;
}

static void drop_late(struct fair *fair, struct fair_flow *flow)
{
	if (drop_segment(fair, flow)) {
		fair->dropped_segments++;
	} else {
		packet_unref(flow_take(fair, flow));
		fair->dropped_late++;
	}
	flow->count++;
	flow->drop_next_us += drop_gap_us(flow->count);
}

/* Drops what has to be dropped of the flow now. */
static void thin_out(struct fair *fair, struct fair_flow *flow, uint64_t now_us)
{
	bool late = is_late(flow, now_us);

	if (late && !flow->dropping) {
		/* Soon after the last time: go on where it had become enough. */
		bool again = flow->count > 2 && now_us < flow->drop_next_us + 8 * INTERVAL_US;

		flow->count = again ? flow->count - 2 : 0;
		flow->drop_next_us = now_us;
	}
	while (late && now_us >= flow->drop_next_us) {
		drop_late(fair, flow);
		late = is_late(flow, now_us);
	}
	flow->dropping = late;
}

/* ---- the queue ---- */

void fair_init(struct fair *fair, size_t bytes_max)
{
	*fair = (struct fair){ .bytes_max = bytes_max };
}

static struct fair_flow *longest(const struct fair *fair)
{
	struct fair_flow *found = NULL;

	for (struct fair_flow *flow = fair->fresh.first; flow; flow = flow->next)
		if (!found || flow->bytes > found->bytes)
			found = flow;
	for (struct fair_flow *flow = fair->old.first; flow; flow = flow->next)
		if (!found || flow->bytes > found->bytes)
			found = flow;
	return found;
}

static void count_left(struct fair *fair, size_t len, uint64_t now_us)
{
	uint64_t end_us = fair->window_us + RECENT_US;

	if (now_us >= end_us) {
		fair->left_before = now_us < end_us + RECENT_US ? fair->left : 0;
		fair->left = 0;
		fair->window_us = now_us;
	}
	fair->left += len;
}

/* How much may wait: as much as left lately, within bounds. Over a long way a stream inside the VPN
 * has more under way than a short queue holds, and sends all of it at once when what was lost on
 * the way, which the rest waited for, has come at last; and bbr pauses each 10 s for a while. */
static size_t room(struct fair *fair, uint64_t now_us)
{
	size_t recent, most = FAIR_GROWTH * fair->bytes_max;

	count_left(fair, 0, now_us);
	recent = fair->left > fair->left_before ? fair->left : fair->left_before;
	if (recent < fair->bytes_max)
		return fair->bytes_max;
	return recent < most ? recent : most;
}

/* A flow that loses its last packet stays in its list until its turn. To look for the longest costs
 * more than to drop, so some room more is made than is needed. */
static void make_room(struct fair *fair, uint64_t now_us)
{
	size_t max = room(fair, now_us), enough = max - max / 32;

	while (fair->bytes > max) {
		struct fair_flow *flow = longest(fair);
		size_t half = flow->bytes / 2;

		while (flow->bytes > half && fair->bytes > enough) {
			packet_unref(flow_take(fair, flow));
			fair->dropped_full++;
		}
	}
}

void fair_push(struct fair *fair, struct packet *packet, uint64_t now_us)
{
	struct fair_flow *flow = flow_get(fair, packet->flow);
	struct entry *entry = pool_get(&entries);

	*entry = (struct entry){ .packet = packet_ref(packet), .since_us = now_us };
	if (flow->first)
		flow->last->next = entry;
	else
		flow->first = entry;
	flow->last = entry;
	flow->bytes += cost(packet);
	fair->bytes += cost(packet);
	fair->n++;
	if (fair->bytes > fair->bytes_max)
		make_room(fair, now_us);
}

struct packet *fair_pop(struct fair *fair, uint64_t now_us)
{
	while (fair->fresh.first || fair->old.first) {
		bool is_fresh = fair->fresh.first != NULL;
		struct fair_list *list = is_fresh ? &fair->fresh : &fair->old;
		struct fair_flow *flow = list->first;

		if (flow->deficit <= 0) {
			flow->deficit += QUANTUM;
			list_add(&fair->old, list_take(list));
			continue;
		}
		thin_out(fair, flow, now_us);
		if (flow->first) {
			struct packet *packet = flow_take(fair, flow);

			flow->deficit -= packet->len;
			count_left(fair, packet->len, now_us);
			return packet;
		}
		list_take(list);
		/* It does not come first again by sending one packet after the other. */
		if (is_fresh && fair->old.first)
			list_add(&fair->old, flow);
		else
			flow_forget(fair, flow);
	}
	return NULL;
}

void fair_finish(struct fair *fair)
{
	struct fair_list *lists[] = { &fair->fresh, &fair->old };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		while (lists[i]->first) {
			struct fair_flow *flow = list_take(lists[i]);

			while (flow->first)
				packet_unref(flow_take(fair, flow));
			flow_forget(fair, flow);
		}
}

void fair_trim(void)
{
	pool_trim(&entries);
	pool_trim(&flows);
	pool_trim(&tables);
}
