/*
 * fake_channel: the functions of dataplane/net/channel.h for tests of its faces: a channel that
 * keeps what is sent and remembers what was done to it.
 */
#pragma once

#include "dataplane/net/channel.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct fake {
	struct channel channel; /* first */
	struct packet *sent[64];
	size_t n_sent;
	bool refuses; /* as a full queue does */
	bool full;
	bool held;
	unsigned timer_ms;
	bool finished; /* closed by channel_finish */
};

bool channel_send(struct channel *channel, struct packet *packet)
{
	struct fake *fake = (struct fake *)channel;

	if (channel->state != CHANNEL_OPEN || fake->refuses)
		return false;
	cr_assert_lt(fake->n_sent, sizeof(fake->sent) / sizeof(fake->sent[0]));
	fake->sent[fake->n_sent++] = packet_ref(packet);
	return true;
}

bool channel_is_full(struct channel *channel)
{
	return ((struct fake *)channel)->full;
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
	if (channel->state == CHANNEL_OPEN)
		((struct fake *)channel)->finished = true;
	channel_close(channel, code, reason);
}

/* ---- for the tests ---- */

static void fake_init(struct fake *fake, const char *id)
{
	*fake = (struct fake){ 0 };
	snprintf(fake->channel.id, sizeof(fake->channel.id), "%s", id);
	snprintf(fake->channel.address, sizeof(fake->channel.address), "192.0.2.1");
}

static void fake_open(struct fake *fake)
{
	fake->channel.face->opened(&fake->channel);
}

static void fake_forget_sent(struct fake *fake)
{
	while (fake->n_sent > 0)
		packet_unref(fake->sent[--fake->n_sent]);
}

/* The connection is gone: the face frees what it has. */
static void fake_end(struct fake *fake)
{
	fake->channel.state = CHANNEL_GONE;
	fake->channel.face->closed(&fake->channel);
	fake_forget_sent(fake);
}

static void fake_receive(struct fake *fake, const struct channel_piece *piece)
{
	if (fake->channel.state == CHANNEL_OPEN)
		fake->channel.face->received(&fake->channel, piece);
}

static void fake_receive_all(struct fake *fake, const void *data, size_t len, bool text)
{
	const struct channel_piece piece = {
		.data = data, .len = len, .first = true, .final = true, .text = text
	};

	fake_receive(fake, &piece);
}
