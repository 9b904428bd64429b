/*
 * network: one network of the switch for tests: ports by number that keep what they were given
 * last, a clock that the test turns, and the notices.
 */
#pragma once

#include "dataplane/switch/frame.h"
#include "dataplane/switch/switch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define NETWORK_PORTS 8
#define MAC(n)	      (0x020000000000ULL + (uint64_t)(n))

struct tap {
	struct port port; /* first */
	int got;
	uint8_t last[2048]; /* the beginning of it */
	size_t last_len;
};

static struct switch_ctx *ctx;
static struct tap taps[NETWORK_PORTS];
static int64_t time_ms;
static int n_notices[SWITCH_LOOP + 1];
static struct switch_notice last_notice;

static const char *evicted; /* why the last one was, or NULL */

static void network_notify(struct port *port, const struct switch_notice *notice)
{
	cr_assert_eq(port, notice->port);
	n_notices[notice->event]++;
	last_notice = *notice;
}

static void network_evicted(struct port *port, const char *why)
{
	(void)port;
	evicted = why;
}

static const struct port_owner network_owner = { .evicted = network_evicted,
	.notice = network_notify };

static void network_deliver(struct port *port, struct packet *frame)
{
	struct tap *tap = (struct tap *)port;

	tap->got++;
	tap->last_len = frame->len;
	memcpy(tap->last, frame->data,
		frame->len < sizeof(tap->last) ? frame->len : sizeof(tap->last));
}

static void network_open(void)
{
	ctx = switch_create();
	memset(taps, 0, sizeof(taps));
	memset(n_notices, 0, sizeof(n_notices));
	evicted = NULL;
	time_ms = 1000;
}

static void network_close(void)
{
	for (int i = 0; i < NETWORK_PORTS; i++)
		switch_detach(ctx, &taps[i].port);
	switch_destroy(ctx);
	packet_trim();
}

/* Member `member` gets port `i`, with the addresses 10.0.0.(i+1) and fd00::(i+1). */
static err_t network_attach_as(
	int i, const char *member, uint64_t mac, const struct port_policy *policy)
{
	struct port *port = &taps[i].port, *replaced;
	char address[32];

	memset(&taps[i], 0, sizeof(taps[i]));
	snprintf(port->member, sizeof(port->member), "%s", member);
	port->mac = mac;
	port->policy = *policy;
	port->deliver = network_deliver;
	port->owner = &network_owner;
	snprintf(address, sizeof(address), "10.0.0.%d", i + 1);
	neighbour_set_ipv4(&port->ipv4, address);
	snprintf(address, sizeof(address), "fd00::%d", i + 1);
	neighbour_set_ipv6(&port->ipv6, address);
	return switch_attach(ctx, "tenant", "network", port, &replaced);
}

/* Port `i` with MAC(i), or none of its own if it is to be learned. */
#define network_attach(i, ...) network_attach_with(i, &(const struct port_policy){ __VA_ARGS__ })

static void network_attach_with(int i, const struct port_policy *policy)
{
	char member[8];

	snprintf(member, sizeof(member), "m%d", i);
	cr_assert_eq(network_attach_as(i, member, MAC(i), policy), OK);
}

static enum drop send_bytes(int from, const void *bytes, size_t len)
{
	struct packet *frame = packet_new(len);
	enum drop why;

	memcpy(frame->data, bytes, len);
	frame->len = (uint32_t)len;
	for (int i = 0; i < NETWORK_PORTS; i++)
		taps[i].got = 0;
	why = switch_forward(&taps[from].port, frame, time_ms);
	cr_assert_eq(frame->refs, 1);
	packet_unref(frame);
	return why;
}

/* A frame of 60 bytes of an unknown type. */
__attribute__((unused)) static enum drop send_frame(int from, uint64_t destination, uint64_t source)
{
	uint8_t frame[60] = { [12] = 0x88, 0xb5 };

	frame_mac_write(destination, frame);
	frame_mac_write(source, frame + 6);
	return send_bytes(from, frame, sizeof(frame));
}

/* Who got the last frame: "1 3 ". */
static const char *who_got(void)
{
	static char text[NETWORK_PORTS * 4 + 1];
	size_t len = 0;

	text[0] = '\0';
	for (int i = 0; i < NETWORK_PORTS; i++)
		for (int n = 0; n < taps[i].got; n++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%d ", i);
	return text;
}
