/*
 * frame: the Ethernet header and MAC addresses. No memory, no state; any thread.
 *
 * A MAC address is a uint64_t with the first byte on the wire in bits 40 to 47, so that it compares
 * and hashes as a number.
 */
#pragma once

#include "lib/err.h"
#include "lib/ethernet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_LEN_MIN  14 /* a bare header */
#define FRAME_LEN_MAX  ETHERNET_FRAME_MAX
#define FRAME_MAC_TEXT 18 /* "02:00:00:00:00:01" with its NUL */

#define FRAME_BROADCAST 0xffffffffffffULL

struct frame_header {
	uint64_t destination;
	uint64_t source;
};

/* Reads the header. ERR_OUT_OF_RANGE for a frame that is too short or too long to be forwarded. */
err_t frame_parse(const uint8_t *bytes, size_t len, struct frame_header *header) MUST_CHECK;

/* True for a group address: multicast or broadcast. */
bool frame_mac_is_group(uint64_t mac);

/* The same of a frame's destination. */
static inline bool frame_is_group(const uint8_t *frame)
{
	return (frame[0] & 1) != 0;
}

/* True for the addresses of protocols between neighbouring bridges (STP, LLDP, 802.1X, GARP, CDP,
 * PVST), which no bridge forwards. */
bool frame_mac_is_reserved(uint64_t mac);

void frame_mac_format(uint64_t mac, char text[FRAME_MAC_TEXT]);

void frame_mac_write(uint64_t mac, uint8_t bytes[6]);
uint64_t frame_mac_read(const uint8_t bytes[6]);

/* Reads six pairs of hex digits with ':' between them. ERR_INVALID_ARGUMENT for all else, and for
 * an address that no station may have: zero or a group. */
err_t frame_mac_parse(const char *text, uint64_t *mac) MUST_CHECK;
