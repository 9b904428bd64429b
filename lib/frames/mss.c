/* mss: see mss.h. */
#include "lib/frames/mss.h"

#include "lib/bytes.h"
#include "lib/checksum.h"

enum { IPV4_LEN = 20, IPV6_LEN = 40 };
enum { TCP_LEN = 20, TCP_FLAGS = 13, TCP_CHECKSUM = 16, TCP_SYN = 0x02 };
enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2, OPTION_MSS_LEN = 4 };

/* Where the value of the option is; NULL: there is none. */
static uint8_t *find_mss(uint8_t *options, const uint8_t *end)
{
	uint8_t *at = options;

	while (at + 1 < end && *at != OPTION_END) {
		if (*at == OPTION_NOP) {
			at++;
			continue;
		}
		if (at[1] < 2 || at[1] > end - at)
			return NULL;
		if (at[0] == OPTION_MSS)
			return at[1] == OPTION_MSS_LEN ? at + 2 : NULL;
		at += at[1];
	}
	return NULL;
}

static uint16_t swap(uint16_t word)
{
	return (uint16_t)(word << 8 | word >> 8);
}

/* What is left for a segment's data in a packet. */
static uint16_t largest(uint32_t mtu, uint8_t version)
{
	uint32_t headers = TCP_LEN + (version == 4 ? IPV4_LEN : IPV6_LEN);
	uint32_t left = mtu > headers ? mtu - headers : 0;

	return left < UINT16_MAX ? (uint16_t)left : UINT16_MAX;
}

void mss_clamp(
	uint8_t *frame, const struct ethernet *at, const struct offload *offload, uint32_t mtu)
{
	uint16_t max = largest(mtu, at->version);
	uint32_t payload = at->protocol == IP_TCP ? ethernet_payload(frame, at) : 0;
	uint8_t *tcp = frame + at->transport;
	uint8_t *mss;
	uint16_t before;

	if (payload == 0 || (tcp[TCP_FLAGS] & TCP_SYN) == 0)
		return;
	mss = find_mss(tcp + TCP_LEN, frame + payload);
	if (!mss || (before = bytes_be16(mss)) <= max)
		return;
	bytes_put_be16(mss, max);
	/* What is to be completed is only the pseudo header's sum as yet. */
	if (offload->flags & OFFLOAD_NEEDS_CHECKSUM)
		return;
	if ((mss - tcp) % 2 != 0) {
		before = swap(before);
		max = swap(max);
	}
	bytes_put_be16(
		tcp + TCP_CHECKSUM, checksum_update(bytes_be16(tcp + TCP_CHECKSUM), before, max));
}
