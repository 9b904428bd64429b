/*
 * truncated: vpn-ws-client sends the first 1500 bytes of a frame and loses the rest, so at the
 * usual MTU every full packet arrives cut. No memory, no state; any thread.
 *
 * The sending host is told what a router would tell it, ICMP "fragmentation needed" or ICMPv6
 * "packet too big", and sends smaller packets from then on.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TRUNCATED_REPLY_MAX 1328 /* VLAN tags, and what ICMPv6 may have */

enum truncated_verdict {
	TRUNCATED_NOT,	  /* the packet is whole, or is none of IP */
	TRUNCATED_SILENT, /* it is cut, but nobody is to be told */
	TRUNCATED_REPLY,
};

/* Is an IP packet cut? If the sender is to be told, `reply` is the frame for it. */
enum truncated_verdict truncated_check(
	const uint8_t *frame, size_t len, uint8_t reply[TRUNCATED_REPLY_MAX], size_t *reply_len);
