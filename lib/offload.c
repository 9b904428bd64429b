/* offload: see offload.h. */
#include "lib/offload.h"

#include "lib/bytes.h"
#include "lib/ethernet.h"

#define TCP_CHECKSUM 16 /* offset in the header */
#define UDP_CHECKSUM 6
#define UDP_LENGTH   4

void offload_read(struct offload *offload, const uint8_t bytes[OFFLOAD_LEN])
{
	*offload = (struct offload){
		.flags = bytes[0],
		.segments = bytes[1],
		.header_len = bytes_le16(bytes + 2),
		.segment_size = bytes_le16(bytes + 4),
		.checksum_start = bytes_le16(bytes + 6),
		.checksum_offset = bytes_le16(bytes + 8),
	};
}

void offload_write(const struct offload *offload, uint8_t bytes[OFFLOAD_LEN])
{
	bytes[0] = offload->flags;
	bytes[1] = offload->segments;
	bytes_put_le16(bytes + 2, offload->header_len);
	bytes_put_le16(bytes + 4, offload->segment_size);
	bytes_put_le16(bytes + 6, offload->checksum_start);
	bytes_put_le16(bytes + 8, offload->checksum_offset);
}

/* Of the frame's own TCP or UDP header. */
static bool is_outer_checksum(const struct offload *offload, const struct ethernet *at)
{
	if (offload->checksum_start != at->transport)
		return false;
	return (at->protocol == IP_TCP && offload->checksum_offset == TCP_CHECKSUM) ||
	       (at->protocol == IP_UDP && offload->checksum_offset == UDP_CHECKSUM);
}

/* Of a packet that the frame's packet carries: its place is not looked for, but it is behind the
 * outer header. */
static bool is_inner_checksum(const struct offload *offload, const struct ethernet *at)
{
	uint32_t outer_len = at->protocol == IP_UDP ? 8 : 0;

	switch (at->protocol) {
	case IP_UDP:
	case IP_GRE:
	case IP_IPV4:
	case IP_IPV6:
		break;
	default:
		return false;
	}
	if (offload->checksum_start < at->transport + outer_len)
		return false;
	return offload->checksum_offset == TCP_CHECKSUM || offload->checksum_offset == UDP_CHECKSUM;
}

static bool checksum_fits(const struct offload *offload, const struct ethernet *at)
{
	uint32_t end = (uint32_t)offload->checksum_start + offload->checksum_offset + 2;

	if (at->transport == 0 || at->fragmented || end > at->end)
		return false;
	return is_outer_checksum(offload, at) || is_inner_checksum(offload, at);
}

static bool segments_fit(
	const struct offload *offload, const struct ethernet *at, const uint8_t *frame, size_t len)
{
	uint32_t payload = ethernet_payload(frame, at);
	bool kind_fits;

	switch (offload->segments) {
	case OFFLOAD_TCP_IPV4:
	case OFFLOAD_TCP_IPV4 | OFFLOAD_ECN:
		kind_fits = at->version == 4 && at->protocol == IP_TCP;
		break;
	case OFFLOAD_TCP_IPV6:
	case OFFLOAD_TCP_IPV6 | OFFLOAD_ECN:
		kind_fits = at->version == 6 && at->protocol == IP_TCP;
		break;
	case OFFLOAD_UDP:
		kind_fits =
			at->protocol == IP_UDP &&
			bytes_be16(frame + at->transport + UDP_LENGTH) == at->end - at->transport;
		break;
	default:
		return false;
	}
	if (!kind_fits || payload == 0 || payload > OFFLOAD_HEADERS_MAX || at->fragmented ||
		at->end != len)
		return false;
	return offload->segment_size > 0 &&
	       (at->end - payload) / offload->segment_size < OFFLOAD_SEGMENTS_MAX &&
	       (offload->flags & OFFLOAD_NEEDS_CHECKSUM) != 0 && is_outer_checksum(offload, at);
}

bool offload_fits(const struct offload *offload, const uint8_t *frame, size_t len)
{
	struct ethernet at;

	if ((offload->flags & ~(OFFLOAD_NEEDS_CHECKSUM | OFFLOAD_CHECKED)) != 0 ||
		offload->header_len > len)
		return false;
	if (offload_is_plain(offload))
		return true;
	ethernet_parse(frame, len, &at);
	if (offload->segments != OFFLOAD_NONE)
		return segments_fit(offload, &at, frame, len);
	return checksum_fits(offload, &at);
}
