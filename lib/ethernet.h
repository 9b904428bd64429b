/*
 * ethernet: where the headers of an Ethernet frame lie: VLAN tags, IPv4 or IPv6 with its extension
 * headers, TCP or UDP. Any bytes are taken; what is cut or broken is simply not there. No memory,
 * no state; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ETHERNET_HEADER_LEN 14
#define ETHERNET_FRAME_MAX  (ETHERNET_HEADER_LEN + 65535) /* a segmentation super-frame */

enum {
	ETHERNET_IPV4 = 0x0800,
	ETHERNET_ARP = 0x0806,
	ETHERNET_VLAN = 0x8100,
	ETHERNET_IPV6 = 0x86dd,
	ETHERNET_VLAN_OUTER = 0x88a8,
};

/* The transport protocols of IP that something is done about here. */
enum {
	IP_ICMP = 1,
	IP_IPV4 = 4,
	IP_TCP = 6,
	IP_UDP = 17,
	IP_IPV6 = 41,
	IP_GRE = 47,
	IP_ICMPV6 = 58,
};

/* Offsets from the first byte of the frame. */
struct ethernet {
	uint32_t network;   /* what the frame carries: behind the VLAN tags */
	uint32_t transport; /* TCP, UDP...; 0: none, cut off, or a fragment other than the first */
	uint32_t end;	    /* where the IP packet ends, padding may follow; 0: not IP */
	uint16_t type;	    /* of what the frame carries */
	uint8_t version;    /* 4 or 6; 0: not IP, or broken */
	uint8_t protocol;   /* of the transport */
	bool fragmented;
};

/* Finds the headers. All zero for a frame without an Ethernet header. */
void ethernet_parse(const uint8_t *frame, size_t len, struct ethernet *out);

/* Where the data of TCP or UDP begin; 0 when their header is not whole, or it is neither. */
uint32_t ethernet_payload(const uint8_t *frame, const struct ethernet *at);
