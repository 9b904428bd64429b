/* joiner: see joiner.h. What may differ, and what is made of it, is what the Linux kernel does with
 * UDP's segmentation offload: __udp_gso_segment. */
#include "lib/joiner.h"

#include "lib/bytes.h"
#include "lib/checksum.h"

#include <string.h>

enum {
	IPV4_LEN = 20, /* of a header without options */
	IPV4_LENGTH = 2,
	IPV4_ID = 4,
	IPV4_FLAGS = 6,
	IPV4_CHECKSUM = 10,
	IPV4_WHOLE = 0x4000, /* "don't fragment": the id means nothing (RFC 6864) */
	IPV6_LEN = 40,
	IPV6_LENGTH = 4,
	UDP_LEN = 8,
	UDP_PORTS = 4,
	UDP_LENGTH = 4,
	UDP_CHECKSUM = 6,
};

/* Nothing but a datagram with data, whose checksum is still to be made. */
static bool is_datagram(const struct l2_frame *frame, const struct ethernet *at)
{
	const struct offload *offload = &frame->offload;
	uint32_t network_len = at->version == 4 ? IPV4_LEN : IPV6_LEN;

	return offload->segments == OFFLOAD_NONE &&
	       (offload->flags & OFFLOAD_NEEDS_CHECKSUM) != 0 && at->version != 0 &&
	       at->protocol == IP_UDP && !at->fragmented && at->end == frame->len &&
	       at->transport == at->network + network_len && at->transport + UDP_LEN < at->end &&
	       offload->checksum_start == at->transport &&
	       offload->checksum_offset == UDP_CHECKSUM &&
	       bytes_be16(frame->data + at->transport + UDP_LENGTH) == at->end - at->transport;
}

void joiner_begin(struct joiner *joiner, const struct l2_frame *frame)
{
	struct ethernet at;

	*joiner = (struct joiner){ .frame = *frame, .n = 1 };
	if ((frame->offload.flags & OFFLOAD_NEEDS_CHECKSUM) == 0)
		return;
	ethernet_parse(frame->data, frame->len, &at);
	if (!is_datagram(frame, &at))
		return;
	joiner->network = at.network;
	joiner->transport = at.transport;
	joiner->payload = at.transport + UDP_LEN;
	joiner->size = frame->len - joiner->payload;
}

static bool is_same(const uint8_t *one, const uint8_t *other, size_t from, size_t to)
{
	return memcmp(one + from, other + from, to - from) == 0;
}

/* The addresses, and all else that has to be the same up to the ports. */
static bool network_fits(const struct joiner *joiner, const uint8_t *next, size_t len)
{
	const uint8_t *first = joiner->frame.data;
	size_t at = joiner->network, end = joiner->transport + UDP_PORTS;
	const uint8_t *ip = first + at;

	if (joiner->transport - at == IPV6_LEN)
		return bytes_be16(next + at + IPV6_LENGTH) == len - joiner->transport &&
		       is_same(first, next, 0, at + IPV6_LENGTH) &&
		       is_same(first, next, at + IPV6_LENGTH + 2, end);
	return bytes_be16(next + at + IPV4_LENGTH) == len - at &&
	       is_same(first, next, 0, at + IPV4_LENGTH) &&
	       is_same(first, next, at + IPV4_FLAGS, at + IPV4_CHECKSUM) &&
	       is_same(first, next, at + IPV4_CHECKSUM + 2, end) &&
	       ((bytes_be16(ip + IPV4_FLAGS) & IPV4_WHOLE) != 0 ||
		       bytes_be16(next + at + IPV4_ID) ==
			       (uint16_t)(bytes_be16(ip + IPV4_ID) + joiner->n));
}

bool joiner_add(struct joiner *joiner, const struct l2_frame *frame)
{
	struct l2_frame *joined = &joiner->frame;
	size_t size = frame->len - joiner->payload;

	if (joiner->payload == 0 || frame->len <= joiner->payload || size > joiner->size ||
		joiner->n == JOINER_MAX || joined->len + size > L2_FRAME_MAX ||
		memcmp(&frame->offload, &joiner->frame.offload, sizeof(frame->offload)) != 0 ||
		!network_fits(joiner, frame->data, frame->len) ||
		bytes_be16(frame->data + joiner->transport + UDP_LENGTH) != UDP_LEN + size)
		return false;
	memmove(joined->data + joined->len, frame->data + joiner->payload, size);
	joined->len += size;
	joiner->n++;
	if (size < joiner->size)
		joiner->payload = 0; /* a shorter one is the last */
	return true;
}

/* The lengths and the checksums that depend on them. */
static void finish(struct joiner *joiner)
{
	struct l2_frame *frame = &joiner->frame;
	uint8_t *ip = frame->data + joiner->network, *udp = frame->data + joiner->transport;
	uint16_t before = bytes_be16(udp + UDP_LENGTH);
	uint16_t len = (uint16_t)(frame->len - joiner->transport);
	uint32_t sum = bytes_be16(udp + UDP_CHECKSUM) + (uint32_t)(uint16_t)~before + len;

	if (joiner->transport - joiner->network == IPV6_LEN) {
		bytes_put_be16(ip + IPV6_LENGTH, len);
	} else {
		bytes_put_be16(ip + IPV4_LENGTH, (uint16_t)(IPV4_LEN + len));
		bytes_put_be16(ip + IPV4_CHECKSUM, 0);
		bytes_put_be16(ip + IPV4_CHECKSUM, checksum_finish(checksum_add(0, ip, IPV4_LEN)));
	}
	bytes_put_be16(udp + UDP_LENGTH, len);
	/* Not finished: the sum of the pseudo header, to which the kernel adds the rest. */
	bytes_put_be16(udp + UDP_CHECKSUM, (uint16_t)~checksum_finish(sum));
	frame->offload.segments = OFFLOAD_UDP;
	frame->offload.segment_size = (uint16_t)joiner->size;
	frame->offload.header_len = (uint16_t)(joiner->transport + UDP_LEN);
	l2_write_header(frame->data - L2_HEADER_LEN, &frame->offload, frame->len);
}

bool joiner_end(struct joiner *joiner, struct l2_frame *out)
{
	if (joiner->frame.data == NULL)
		return false;
	if (joiner->n > 1)
		finish(joiner);
	*out = joiner->frame;
	joiner->frame.data = NULL;
	joiner->payload = 0;
	return true;
}
