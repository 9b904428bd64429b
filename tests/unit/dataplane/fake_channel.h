/*
 * fake_channel: the functions of dataplane/net/channel.h for tests of its faces: a channel that
 * keeps what is written and remembers what was done to it. What the loop does at the end of a turn,
 * fake_turn does.
 */
#pragma once

#include "dataplane/net/channel.h"

#include "lib/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* A frame that was written. */
struct fake_frame {
	enum ws_opcode opcode;
	bool fin;
	size_t len;
	uint8_t *data;
};

struct fake {
	struct channel channel; /* first */
	struct fake_frame sent[64];
	size_t n_sent;
	bool full;   /* takes nothing, as a peer that does not read */
	size_t room; /* bytes that one fill may write, the last write may pass it */
	size_t left; /* of it, in this fill */
	bool woken;
	bool held;
	unsigned timer_ms;
	bool finished; /* closed by channel_finish */
	uint64_t silence_ms;
	bool pinged;
};

/* Inside of fill, so that a write from anywhere else is a failure. */
static struct channel *fake_filling;

void channel_wake(struct channel *channel)
{
	((struct fake *)channel)->woken = true;
}

void channel_keep_alive(struct channel *channel, unsigned silence_ms)
{
	(void)channel;
	(void)silence_ms;
}

unsigned channel_rtt_us(const struct channel *channel)
{
	(void)channel;
	return 250;
}

size_t channel_room(const struct channel *channel)
{
	const struct fake *fake = (const struct fake *)channel;

	return fake->full ? 0 : fake->left;
}

bool channel_write(struct channel *channel, enum ws_opcode opcode, bool fin,
	const struct iovec *parts, size_t n)
{
	struct fake *fake = (struct fake *)channel;
	struct fake_frame *frame = &fake->sent[fake->n_sent];

	cr_assert_eq(fake_filling, channel);
	if (channel_room(channel) == 0)
		return false;
	cr_assert_lt(fake->n_sent, ARRAY_LEN(fake->sent));
	*frame = (struct fake_frame){ .opcode = opcode, .fin = fin };
	for (size_t i = 0; i < n; i++) {
		frame->data = xrealloc(frame->data, frame->len + parts[i].iov_len + 1);
		memcpy(frame->data + frame->len, parts[i].iov_base, parts[i].iov_len);
		frame->len += parts[i].iov_len;
	}
	fake->left -= frame->len < fake->left ? frame->len : fake->left;
	fake->n_sent++;
	return true;
}

void channel_flush(struct channel *channel)
{
	cr_assert_eq(fake_filling, channel);
}

uint64_t channel_silence_ms(const struct channel *channel)
{
	return ((const struct fake *)channel)->silence_ms;
}

void channel_ping(struct channel *channel)
{
	((struct fake *)channel)->pinged = true;
}

void channel_hold(struct channel *channel, bool held)
{
	((struct fake *)channel)->held = held;
}

void channel_set_timer(struct channel *channel, unsigned ms)
{
	((struct fake *)channel)->timer_ms = ms;
}

void channel_close(struct channel *channel, enum ws_status code, const char *reason)
{
	if (channel->state != CHANNEL_OPEN)
		return;
	channel->state = CHANNEL_CLOSING;
	channel->code = code;
	snprintf(channel->reason, sizeof(channel->reason), "%s", reason);
}

void channel_finish(struct channel *channel, enum ws_status code, const char *reason)
{
	if (channel->state != CHANNEL_OPEN)
		return;
	channel_close(channel, code, reason);
	channel->state = CHANNEL_FINISHING;
	((struct fake *)channel)->finished = true;
}

/* ---- for the tests ---- */

static void fake_init(struct fake *fake, const char *id)
{
	*fake = (struct fake){ .room = SIZE_MAX };
	snprintf(fake->channel.id, sizeof(fake->channel.id), "%s", id);
	fake->channel.address = "192.0.2.1";
}

static inline void fake_open(struct fake *fake)
{
	fake->channel.face->opened(&fake->channel);
}

static void fake_forget_sent(struct fake *fake)
{
	while (fake->n_sent > 0)
		free(fake->sent[--fake->n_sent].data);
}

/* The end of the loop's turn, for this channel. */
static void fake_turn(struct fake *fake)
{
	if (!fake->woken || fake->channel.state > CHANNEL_FINISHING)
		return;
	fake->woken = false;
	fake->left = fake->room;
	fake_filling = &fake->channel;
	fake->channel.face->fill(&fake->channel);
	fake_filling = NULL;
}

/* The connection is gone: the face frees what it has. */
static inline void fake_end(struct fake *fake)
{
	fake->channel.state = CHANNEL_GONE;
	fake->channel.face->closed(&fake->channel);
	fake_forget_sent(fake);
}

static inline void fake_receive(struct fake *fake, const struct channel_piece *piece)
{
	if (fake->channel.state == CHANNEL_OPEN)
		fake->channel.face->received(&fake->channel, piece);
}

static inline void fake_receive_all(struct fake *fake, const void *data, size_t len, bool text)
{
	const struct channel_piece piece = { .data = (uint8_t *)(uintptr_t)data,
		.len = len,
		.first = true,
		.final = true,
		.text = text };

	fake_receive(fake, &piece);
}
