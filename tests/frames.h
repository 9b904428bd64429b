/*
 * frames: Ethernet frames for tests, made from what is special about them.
 */
#pragma once

#include "lib/bytes.h"
#include "lib/ethernet.h"

#include <stdint.h>
#include <string.h>

struct frame_wish {
	int version;	  /* 4 or 6 */
	uint8_t protocol; /* IP_TCP or IP_UDP: with a header; others: none */
	int tags;	  /* VLAN tags */
	size_t options;	  /* bytes of IPv4 options, or of an IPv6 extension header; by 8 */
	size_t tcp_options;
	uint8_t tcp_flags;
	uint16_t fragment; /* as in the IPv4 or fragment header; 0: none */
	uint16_t source_port;
	size_t payload; /* bytes, counting up */
};

static inline size_t frame_ipv4(uint8_t *at, const struct frame_wish *wish, size_t rest)
{
	size_t len = 20 + wish->options;

	memset(at, 1, len); /* options: NOP */
	at[0] = (uint8_t)(0x40 | len / 4);
	at[1] = 0;
	bytes_put_be16(at + 2, (uint16_t)(len + rest));
	bytes_put_be16(at + 4, 0x1234);
	bytes_put_be16(at + 6, wish->fragment);
	at[8] = 64;
	at[9] = wish->protocol;
	bytes_put_be16(at + 10, 0);
	memcpy(at + 12, "\x0a\x00\x00\x01\x0a\x00\x00\x02", 8);
	return len;
}

static inline size_t frame_ipv6(uint8_t *at, const struct frame_wish *wish, size_t rest)
{
	size_t extension = wish->options + (wish->fragment ? 8 : 0);
	uint8_t *next = at + 6;

	memset(at, 0, 40 + extension);
	at[0] = 0x60;
	bytes_put_be16(at + 4, (uint16_t)(extension + rest));
	*next = wish->protocol;
	at[7] = 64;
	memcpy(at + 8, "\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", 16);
	memcpy(at + 24, "\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02", 16);
	if (wish->options > 0) {
		*next = 60;
		next = at + 40;
		next[0] = wish->protocol;
		next[1] = (uint8_t)(wish->options / 8 - 1);
	}
	if (wish->fragment) {
		*next = 44;
		at[40 + wish->options] = wish->protocol;
		bytes_put_be16(at + 40 + wish->options + 2, wish->fragment);
	}
	return 40 + extension;
}

static inline size_t frame_transport(uint8_t *at, const struct frame_wish *wish)
{
	size_t len = wish->protocol == IP_TCP	? 20 + wish->tcp_options
		     : wish->protocol == IP_UDP ? 8
						: 0;

	memset(at, 1, len); /* TCP's options: NOP */
	if (len == 0)
		return 0;
	bytes_put_be16(at, wish->source_port);
	bytes_put_be16(at + 2, 5001);
	if (wish->protocol == IP_UDP) {
		bytes_put_be16(at + 4, (uint16_t)(8 + wish->payload));
		bytes_put_be16(at + 6, 0);
		return len;
	}
	bytes_put_be32(at + 4, 0xfffff000); /* so that sequence numbers wrap */
	at[12] = (uint8_t)(len / 4 << 4);
	at[13] = wish->tcp_flags;
	bytes_put_be32(at + 16, 0);
	return len;
}

/* The sum of 16-bit words, in the plainest way; `at` begins at an even place. */
static inline uint32_t frame_sum(uint32_t sum, const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)at[i] << 8 : at[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* The sum of the pseudo header. */
static inline uint32_t frame_pseudo(const uint8_t *frame, const struct ethernet *at)
{
	const uint8_t *ip = frame + at->network;
	uint32_t sum = at->protocol + at->end - at->transport;

	return at->version == 4 ? frame_sum(sum, ip + 12, 8) : frame_sum(sum, ip + 8, 32);
}

/* The sum of what a checksum of the transport covers, with it: 0xffff if it is good. */
static inline uint32_t frame_transport_sum(const uint8_t *frame, const struct ethernet *at)
{
	return frame_sum(frame_pseudo(frame, at), frame + at->transport, at->end - at->transport);
}

/* Puts the sum of the pseudo header where TCP or UDP have their checksum, as a kernel does that
 * leaves the rest to others. */
static inline void frame_leave_checksum(uint8_t *frame, size_t len)
{
	struct ethernet at;

	ethernet_parse(frame, len, &at);
	bytes_put_be16(frame + at.transport + (at.protocol == IP_TCP ? 16 : 6),
		(uint16_t)frame_pseudo(frame, &at));
}

/* Makes the frame and returns its length; `out` has room for ETHERNET_FRAME_MAX bytes. */
static inline size_t frame_make(uint8_t *out, const struct frame_wish *wish)
{
	uint8_t transport[80];
	size_t transport_len = frame_transport(transport, wish);
	size_t rest = transport_len + wish->payload;
	uint8_t *at = out + 12;

	memcpy(out, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01", 12);
	for (int i = 0; i < wish->tags; i++, at += 4)
		memcpy(at, i + 1 < wish->tags ? "\x88\xa8\x00\x07" : "\x81\x00\x00\x08", 4);
	bytes_put_be16(at, wish->version == 4 ? ETHERNET_IPV4 : ETHERNET_IPV6);
	at += 2;
	at += wish->version == 4 ? frame_ipv4(at, wish, rest) : frame_ipv6(at, wish, rest);
	memcpy(at, transport, transport_len);
	at += transport_len;
	for (size_t i = 0; i < wish->payload; i++)
		at[i] = (uint8_t)(i * 7 + i / 256);
	return (size_t)(at - out) + wish->payload;
}
