/*
 * session: messages become frames for the switch, frames from the switch become messages.
 */
#include "dataplane/switch/session.h"

#include "dataplane/counters.h"
#include "lib/frames/flow.h"
#include "dataplane/switch/frame.h"
#include "dataplane/switch/session_struct.h"
#include "dataplane/switch/truncated.h"
#include "lib/call.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/revoked.h"

#include <sodium.h>

#include <stdio.h>
#include <string.h>

/* Notes something of the port's session; `notice` may be left out. */
static void note_at(struct sessions *sessions, const struct session_card *card,
	const struct port *port, const char *kind, const char *detail,
	const struct switch_notice *notice)
{
	struct journal_entry entry = { .kind = kind };

	snprintf(entry.tenant, sizeof(entry.tenant), "%s", card->tenant);
	snprintf(entry.network, sizeof(entry.network), "%s", card->network);
	snprintf(entry.member, sizeof(entry.member), "%s", port->member);
	snprintf(entry.session, sizeof(entry.session), "%s", card->id);
	snprintf(entry.detail, sizeof(entry.detail), "%s", detail);
	if (notice) {
		frame_mac_format(notice->mac, entry.mac);
		entry.n_untold = notice->n_untold;
		if (notice->other)
			snprintf(entry.other_member, sizeof(entry.other_member), "%s",
				notice->other->member);
	}
	journal_add(sessions->journal, &entry, clock_unix_ms() / 1000);
}

static void note(const struct session *session, const char *kind, const char *detail)
{
	struct session_card card;

	session_describe(&session->port, &card);
	note_at(session->sessions, &card, &session->port, kind, detail, NULL);
}

void sessions_note(struct sessions *sessions, const struct session_card *card,
	const struct switch_notice *notice)
{
	note_at(sessions, card, notice->port, switch_event_name(notice->event), notice->detail,
		notice);
	if (notice->event == SWITCH_LOOP)
		log_warn("loop", "session=%s network=%s member=%s detail=\"%s\"", card->id,
			card->network, notice->port->member, notice->detail);
}

/* It has come into its network, or has gone. */
static void tell_watch(const struct session *session, int by)
{
	const struct sessions *sessions = session->sessions;

	if (sessions->watch && *session->token != '\0')
		sessions->watch(sessions->watch_context, session->tenant, session->network, by);
}

/* Its port is in no network any more. */
static void tell_end(struct session *session, const char *reason)
{
	tell_watch(session, -1);
	counter_add(COUNTER_SESSIONS, -1);
	log_info("session_ended", "session=%s reason=%s rx_frames=%llu tx_frames=%llu dropped=%llu",
		session->id, log_value(reason), (unsigned long long)session->rx_frames,
		(unsigned long long)session->outlet.n_frames,
		(unsigned long long)session_count_drops(session));
}

static void detach(struct session *session, const char *reason)
{
	if (!session_is_live(session))
		return;
	note(session, "session_closed", reason);
	switch_detach(session->sessions->ctx, &session->port);
	tell_end(session, reason);
}

static void end(struct session *session, enum ws_status code, const char *reason)
{
	detach(session, reason);
	channel_close(session->channel, code, reason);
}

static void drop(struct session *session, enum drop why, uint64_t n)
{
	if (n == 0)
		return;
	session->drops[why] += n;
	counter_add(COUNTER_DROPPED + why, (int64_t)n);
}

/* Counts what the queue has dropped since the last time. */
static void count_queue_drops(struct session *session)
{
	const struct fair *fair = &session->outlet.fair;

	drop(session, DROP_QUEUE, fair->dropped_full - session->drops[DROP_QUEUE]);
	drop(session, DROP_LATE, fair->dropped_late - session->drops[DROP_LATE]);
	counter_add(COUNTER_DROPPED_SEGMENTS,
		(int64_t)(fair->dropped_segments - session->dropped_segments));
	session->dropped_segments = fair->dropped_segments;
}

/* ---- to the member ---- */

/* Frames to many may have to wait a little for more of them, others have not. */
static void wake(struct session *session, bool to_many)
{
	struct sessions *sessions = session->sessions;
	unsigned delay_ms = 0;

	if (session->woken || (to_many && session->lingers))
		return;
	if (to_many)
		delay_ms = pace_delay_ms(&sessions->pace, sessions->now_us);
	session->lingers = delay_ms > 0;
	session->woken = !session->lingers;
	if (session->lingers)
		channel_set_timer(session->channel, delay_ms);
	else
		channel_wake(session->channel);
}

static void deliver(struct port *port, struct packet *frame)
{
	struct session *session = (struct session *)port;

	outlet_push(&session->outlet, frame, session->sessions->now_us);
	count_queue_drops(session);
	wake(session, frame_is_group(frame->data));
}

static void on_notice(struct port *port, const struct switch_notice *notice)
{
	struct session_card card;

	session_describe(port, &card);
	sessions_note(((struct session *)port)->sessions, &card, notice);
}

static void on_evicted(struct port *port, const char *why)
{
	struct session *session = (struct session *)port;

	note(session, strcmp(why, SWITCH_REPLACED) == 0 ? "session_replaced" : "session_closed",
		why);
	tell_end(session, why);
	if (session->outlet.batches) /* the agent takes what is on its way to it */
		channel_finish(session->channel, WS_STATUS_POLICY, why);
	else
		channel_close(session->channel, WS_STATUS_POLICY, why);
}

static const struct port_owner owner = { .evicted = on_evicted, .notice = on_notice };

static void tell_move(struct session *session)
{
	uint8_t record[L2_HEADER_LEN + L2_CONTROL_LEN];
	struct iovec part = { record, sizeof(record) };

	l2_write_move(record, session->move_ms);
	if (channel_write(session->channel, WS_BINARY, true, &part, 1))
		session->move_ms = 0;
}

static void on_fill(struct channel *channel)
{
	struct session *session = channel->owner;
	struct outlet *outlet = &session->outlet;
	uint64_t n_frames = outlet->n_frames, n_bytes = outlet->n_bytes;

	session->woken = session->lingers = false;
	if (session->move_ms > 0)
		tell_move(session);
	outlet_write(outlet, channel, (uint64_t)clock_us());
	counter_add(COUNTER_TX_FRAMES, (int64_t)(outlet->n_frames - n_frames));
	counter_add(COUNTER_TX_BYTES, (int64_t)(outlet->n_bytes - n_bytes));
	count_queue_drops(session);
}

static void on_timer(struct channel *channel)
{
	struct session *session = channel->owner;

	wake(session, false);
}

/* ---- from the member ---- */

/* Gives the member a frame that the node has made. */
static void tell(struct session *session, const uint8_t *bytes, size_t len)
{
	struct packet *packet = packet_new(len);

	memcpy(packet->data, bytes, len);
	packet->len = (uint32_t)len;
	packet->flow = flow_hash(session->sessions->seed, bytes, len);
	l2_write_header(packet->data - L2_HEADER_LEN, &packet->offload, len);
	deliver(&session->port, packet);
	packet_unref(packet);
}

/* What an old client has cut goes no further. */
static bool is_cut(struct session *session, const struct packet *frame)
{
	uint8_t reply[TRUNCATED_REPLY_MAX];
	size_t len;
	enum truncated_verdict verdict =
		session->intake.batches ? TRUNCATED_NOT
					: truncated_check(frame->data, frame->len, reply, &len);

	if (verdict == TRUNCATED_REPLY)
		tell(session, reply, len);
	return verdict != TRUNCATED_NOT;
}

static void forward(void *context, struct packet *frame)
{
	struct session *session = context;
	enum drop why;

	session->rx_frames++;
	session->rx_bytes += frame->len;
	if (is_cut(session, frame)) {
		drop(session, DROP_LENGTH, 1);
		return;
	}
	why = switch_forward(&session->port, frame, (int64_t)(session->sessions->now_us / 1000));
	if (why != DROP_NONE)
		drop(session, why, 1);
}

static void refuse(struct session *session, enum intake_result result)
{
	if (result == INTAKE_TOO_BIG)
		end(session, WS_STATUS_TOO_BIG, "the message is longer than any may be");
	else
		end(session, WS_STATUS_UNSUPPORTED, "the message is no batch of frames");
}

static void on_received(struct channel *channel, const struct channel_piece *piece)
{
	struct session *session = channel->owner;
	uint64_t n_frames = session->rx_frames, n_bytes = session->rx_bytes;
	enum intake_result result;

	if (piece->text) {
		end(session, WS_STATUS_UNSUPPORTED, "Ethernet frames come in binary messages");
		return;
	}
	session->sessions->now_us = (uint64_t)clock_us();
	result = intake_take(&session->intake, &(struct intake_piece){ .data = piece->data,
						       .len = piece->len,
						       .left = piece->left,
						       .first = piece->first,
						       .final = piece->final,
						       .block = piece->block });
	counter_add(COUNTER_RX_FRAMES, (int64_t)(session->rx_frames - n_frames));
	counter_add(COUNTER_RX_BYTES, (int64_t)(session->rx_bytes - n_bytes));
	drop(session, DROP_OFFLOAD, session->intake.skipped - session->drops[DROP_OFFLOAD]);
	if (result != INTAKE_OK)
		refuse(session, result);
}

/* ---- its life ---- */

static void on_opened(struct channel *channel)
{
	struct session *session = channel->owner;
	struct port *replaced;

	channel_keep_alive(channel, session->sessions->silence_ms);
	if (switch_attach(session->sessions->ctx, session->tenant, session->network, &session->port,
		    &replaced) != OK) {
		end(session, WS_STATUS_POLICY, SWITCH_TAKEN);
		return;
	}
	switch_set_rules(
		session->sessions->ctx, session->tenant, session->network, &session->rules);
	counter_add(COUNTER_SESSIONS, 1);
	log_info("session_started",
		"session=%s tenant=%s network=%s member=%s subject=%s address=%s", session->id,
		session->tenant, session->network, session->port.member,
		log_value(session->subject), channel->address);
	note(session, "session_opened", channel->address);
	tell_watch(session, 1);
	if (replaced)
		replaced->owner->evicted(replaced, SWITCH_REPLACED);
}

static void on_closed(struct channel *channel)
{
	struct session *session = channel->owner;

	detach(session, "the connection was closed");
	intake_finish(&session->intake);
	outlet_finish(&session->outlet);
	HASH_DELETE(hh, session->sessions->by_id, session);
	free(session->token);
	free(session->user);
	free(session->dn);
	free(session);
}

static const struct channel_face face = {
	.opened = on_opened,
	.received = on_received,
	.fill = on_fill,
	.timer = on_timer,
	.closed = on_closed,
};

struct sessions *sessions_create(void)
{
	struct sessions *sessions = xcalloc(1, sizeof(*sessions));

	sessions->journal = journal_create();
	sessions->ctx = switch_create();
	randombytes_buf(&sessions->seed, sizeof(sessions->seed));
	return sessions;
}

void sessions_destroy(struct sessions *sessions)
{
	if (!sessions)
		return;
	if (sessions->by_id)
		BUG("%u sessions left", HASH_COUNT(sessions->by_id));
	switch_destroy(sessions->ctx);
	journal_destroy(sessions->journal);
	free(sessions);
}

void session_create(struct sessions *sessions, struct channel *channel,
	const struct token_claims *claims, const char *token, bool batches)
{
	struct session *session = xcalloc(1, sizeof(*session));

	session->intake = (struct intake){
		.batches = batches, .seed = sessions->seed, .each = forward, .context = session
	};
	outlet_init(&session->outlet, batches);
	session_fill_port(&session->port, claims);
	session->port.deliver = deliver;
	session->port.owner = &owner;
	session->sessions = sessions;
	session->channel = channel;
	session->id = channel->id;
	session->number = ++sessions->last_number;
	session->issued_at = claims->issued_at;
	session->port.began_ms = clock_unix_ms();
	session->started_at = session->port.began_ms / 1000;
	session->policy_version = claims->policy_version;
	session_read_rules(claims, &session->rules);
	session->token = xstrdup(token);
	snprintf(session->tenant, sizeof(session->tenant), "%s", claims->tenant);
	snprintf(session->network, sizeof(session->network), "%s", claims->network);
	snprintf(session->subject, sizeof(session->subject), "%s", claims->subject);
	HASH_ADD_KEYPTR(hh, sessions->by_id, session->id, strlen(session->id), session);
	channel->face = &face;
	channel->owner = session;
}

void sessions_set_silence(struct sessions *sessions, unsigned ms)
{
	sessions->silence_ms = ms;
}

void sessions_ask_to_move(struct sessions *sessions, uint32_t window_ms)
{
	for (struct session *session = sessions->by_id; session; session = session->hh.next)
		if (session_is_live(session) && session->outlet.batches) {
			session->move_ms = window_ms;
			channel_wake(session->channel);
		}
}

unsigned sessions_thin_out(struct sessions *sessions, unsigned step_ms, unsigned left_ms)
{
	unsigned n = 0, n_fixed = 0, n_close;

	for (struct session *session = sessions->by_id; session; session = session->hh.next) {
		n += session_is_live(session);
		n_fixed += session_is_live(session) && !session->outlet.batches;
	}
	n_close = left_ms > step_ms ? (n_fixed * step_ms + left_ms - 1) / left_ms : n_fixed;
	for (struct session *session = sessions->by_id; session && n_close > 0;
		session = session->hh.next)
		if (session_is_live(session) && !session->outlet.batches) {
			end(session, WS_STATUS_GOING_AWAY, "the node stops");
			n_close--;
			n--;
		}
	return n;
}

void session_set_names(struct channel *channel, const char *user, const char *dn)
{
	struct session *session = channel->owner;

	session->user = xstrdup(user);
	session->dn = xstrdup(dn);
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
	if (!session || !session_is_live(session))
		return ERR_NOT_FOUND;
	if (strcmp(tenant, CALL_FLEET) != 0 && strcmp(tenant, session->tenant) != 0)
		return ERR_NOT_FOUND;
	end(session, WS_STATUS_POLICY, "ended by an operator");
	return OK;
}

/* ---- for the node's own interface and the status page ---- */

err_t sessions_end_number(
	struct sessions *sessions, const char *tenant, const char *network, uint32_t number)
{
	for (struct session *session = sessions->by_id; session; session = session->hh.next)
		if (session->number == number && session_is_in(session, tenant, network)) {
			end(session, WS_STATUS_POLICY, "ended by an operator");
			return OK;
		}
	return ERR_NOT_FOUND;
}

struct switch_ctx *sessions_switch(const struct sessions *sessions)
{
	return sessions->ctx;
}

enum drop sessions_forward(struct sessions *sessions, struct port *from, struct packet *frame)
{
	sessions->now_us = (uint64_t)clock_us();
	return switch_forward(from, frame, (int64_t)(sessions->now_us / 1000));
}

/* ---- for trunks to other nodes ---- */

void session_count_drop(struct port *port, enum drop why, uint64_t n)
{
	drop((struct session *)port, why, n);
}
