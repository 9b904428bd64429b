/*
 * relay: two ends and their queues. An end without a partner queues for itself; with one it writes
 * to the partner's connection and stops reading its own while that one is full.
 */
#include "dataplane/relay/relay.h"

#include "dataplane/counters.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/revoked.h"

#include <stdio.h>
#include <string.h>

#define ALONE_MAX (QUEUE_BYTES_MAX / 4) /* sent before the partner came: it is read no further */
#define SENT_HIGH (QUEUE_BYTES_MAX / 2) /* not taken: the same */
#define SENT_LOW  (QUEUE_BYTES_MAX / 8) /* it is read again */

struct relay_end {
	struct relays *relays;
	struct channel *channel;
	struct relay_end *partner; /* NULL: not joined */
	const char *id;		   /* the connection's */
	char pair[UUID_SIZE];	   /* "" until the claim was granted */
	char tenant[UUID_SIZE];
	char subject[64];
	char token_id[UUID_SIZE];
	char nonce[RELAY_NONCE_MAX + 1];
	int64_t issued_at;
	struct queue sent; /* what its partner has not taken yet */
	struct queue last; /* what its partner had sent when it went */
	bool in_message;   /* the last piece was not the end of its message */
	UT_hash_handle hh; /* relays.by_id */
};

struct relays {
	struct relays_options options;
	struct relay_end *by_id;
};

static void end(struct relay_end *one, enum ws_status code, const char *reason)
{
	channel_close(one->channel, code, reason);
}

/* Keeps a packet until the partner takes it. */
static void pass(struct relay_end *from, struct packet *packet)
{
	size_t high = from->partner ? SENT_HIGH : ALONE_MAX;

	if (!queue_push(&from->sent, packet))
		BUG("an end was read though its queue is full");
	if (from->sent.bytes > high)
		channel_hold(from->channel, true);
	if (from->partner)
		channel_wake(from->partner->channel);
}

static struct packet *cut(struct relay_end *from, const struct channel_piece *piece, size_t offset)
{
	size_t left = piece->len - offset;
	size_t len = left < PACKET_MAX ? left : PACKET_MAX;
	struct packet *packet = packet_new(len);

	memcpy(packet->data, piece->data + offset, len);
	packet->len = (uint32_t)len;
	packet->final = piece->final && len == left;
	if (from->in_message)
		packet->kind = PACKET_CONTINUATION;
	else
		packet->kind = piece->text ? PACKET_TEXT : PACKET_BINARY;
	return packet;
}

static void on_received(struct channel *channel, const struct channel_piece *piece)
{
	struct relay_end *from = channel->owner;
	size_t offset = 0;

	if (piece->first && from->in_message) {
		end(from, WS_STATUS_PROTOCOL_ERROR, "a message began before the last one ended");
		return;
	}
	do {
		struct packet *packet = cut(from, piece, offset);

		offset += packet->len;
		from->in_message = !packet->final;
		pass(from, packet);
		packet_unref(packet);
	} while (offset < piece->len);
}

/* Takes what the partner sent, and lets it go on when that is little. */
static void on_fill(struct channel *channel)
{
	struct relay_end *one = channel->owner;
	struct queue *queue = one->partner ? &one->partner->sent : &one->last;

	counter_add(COUNTER_RELAY_BYTES, (int64_t)queue_write(queue, channel));
	if (one->partner && queue->bytes <= SENT_LOW)
		channel_hold(one->partner->channel, false);
}

static void on_opened(struct channel *channel)
{
	struct relay_end *one = channel->owner;

	one->relays->options.claim(one->relays->options.context, one);
}

static void on_timer(struct channel *channel)
{
	struct relay_end *one = channel->owner;

	if (!one->partner)
		end(one, WS_STATUS_TRY_LATER, "the other end did not come");
}

static void part(struct relay_end *one)
{
	struct relay_end *partner = one->partner;

	if (!partner)
		return;
	one->partner = NULL;
	partner->partner = NULL;
	counter_add(COUNTER_RELAYS, -1);
	log_info("relay_ended", "pair=%s first_closed=%s other=%s", log_value(one->pair), one->id,
		partner->id);
	partner->last = one->sent;
	queue_init(&one->sent, QUEUE_BYTES_MAX);
	channel_finish(partner->channel, WS_STATUS_NORMAL, "the other end has closed");
}

static void on_closed(struct channel *channel)
{
	struct relay_end *one = channel->owner;
	struct relays *relays = one->relays;

	part(one);
	HASH_DELETE(hh, relays->by_id, one);
	if (*one->pair != '\0')
		relays->options.release(relays->options.context, one->tenant, one->pair, one->id);
	queue_finish(&one->sent);
	queue_finish(&one->last);
	free(one);
}

static const struct channel_face face = {
	.opened = on_opened,
	.received = on_received,
	.fill = on_fill,
	.timer = on_timer,
	.closed = on_closed,
};

static void set_pair(struct relay_end *one, const char *pair)
{
	snprintf(one->pair, sizeof(one->pair), "%s", pair);
}

struct relays *relays_create(const struct relays_options *options)
{
	struct relays *relays = xcalloc(1, sizeof(*relays));

	relays->options = *options;
	return relays;
}

void relays_destroy(struct relays *relays)
{
	if (relays && relays->by_id)
		BUG("%u relay ends left", HASH_COUNT(relays->by_id));
	free(relays);
}

void relay_create(struct relays *relays, struct channel *channel, const struct token_claims *claims,
	const char *nonce)
{
	struct relay_end *one = xcalloc(1, sizeof(*one));

	one->relays = relays;
	one->channel = channel;
	one->id = channel->id;
	one->issued_at = claims->issued_at;
	snprintf(one->tenant, sizeof(one->tenant), "%s", claims->tenant);
	snprintf(one->subject, sizeof(one->subject), "%s", claims->subject);
	snprintf(one->token_id, sizeof(one->token_id), "%s", claims->id);
	snprintf(one->nonce, sizeof(one->nonce), "%s", nonce);
	queue_init(&one->sent, QUEUE_BYTES_MAX);
	queue_init(&one->last, QUEUE_BYTES_MAX);
	HASH_ADD_KEYPTR(hh, relays->by_id, one->id, strlen(one->id), one);
	channel->face = &face;
	channel->owner = one;
}

void relay_describe(const struct relay_end *one, struct relay_claim *claim)
{
	*claim = (struct relay_claim){
		.tenant = one->tenant,
		.subject = one->subject,
		.token_id = one->token_id,
		.nonce = one->nonce,
		.connection = one->id,
	};
}

struct relay_end *relay_find(struct relays *relays, const char *connection)
{
	struct relay_end *one;

	HASH_FIND_STR(relays->by_id, connection, one);
	return one;
}

void relay_wait(struct relay_end *one, const char *pair)
{
	set_pair(one, pair);
	if (!one->partner) /* it may have been joined before it heard that it has to wait */
		channel_set_timer(one->channel, RELAY_WAIT_MS);
}

void relay_join(struct relay_end *one, const char *pair, const char *partner_id)
{
	struct relay_end *partner = relay_find(one->relays, partner_id);

	set_pair(one, pair);
	if (partner && one->partner == partner)
		return; /* the partner's claim was answered first */
	if (!partner || partner == one || partner->partner || one->partner) {
		end(one, WS_STATUS_TRY_LATER, "the other end has gone");
		return;
	}
	one->partner = partner;
	partner->partner = one;
	counter_add(COUNTER_RELAYS, 1);
	log_info("relay_joined", "pair=%s first=%s second=%s", log_value(pair), partner->id,
		one->id);
	channel_wake(partner->channel);
	channel_wake(one->channel);
}

void relay_refuse(struct relay_end *one, const char *pair, enum ws_status code, const char *reason)
{
	set_pair(one, pair);
	end(one, code, reason);
}

void relays_end_pair(struct relays *relays, const char *pair)
{
	for (struct relay_end *one = relays->by_id; one; one = one->hh.next)
		if (strcmp(one->pair, pair) == 0)
			end(one, WS_STATUS_NORMAL, "the pair was closed");
}

void relays_end_subject(struct relays *relays, const char *subject, int64_t not_before)
{
	for (struct relay_end *one = relays->by_id; one; one = one->hh.next)
		if (one->issued_at < not_before &&
			revoked_means(subject, one->subject, one->tenant))
			end(one, WS_STATUS_POLICY, "revoked");
}
