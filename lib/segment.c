/* segment: see segment.h. */
#include "lib/segment.h"

#include "lib/bytes.h"
#include "lib/checksum.h"

#include <string.h>

enum {
	TCP_SEQUENCE = 4, /* offsets in the headers */
	TCP_FLAGS = 13,
	TCP_CHECKSUM = 16,
	UDP_LENGTH = 4,
	UDP_CHECKSUM = 6,
	IPV4_LENGTH = 2,
	IPV4_ID = 4,
	IPV4_CHECKSUM = 10,
	IPV6_LENGTH = 4,
	IPV6_LEN = 40,
};

enum { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_CWR = 0x80 };

void segment_complete(uint8_t *frame, size_t len, struct offload *offload)
{
	uint8_t *field = frame + offload->checksum_start + offload->checksum_offset;
	struct ethernet at;
	uint32_t sum;

	if ((offload->flags & OFFLOAD_NEEDS_CHECKSUM) == 0)
		return;
	ethernet_parse(frame, len, &at);
	/* The field holds the sum of the pseudo header. */
	sum = checksum_add(0, frame + offload->checksum_start, at.end - offload->checksum_start);
	bytes_put_be16(field, checksum_finish(sum));
	*offload = (struct offload){ 0 };
}

/* The length in the network's header, and its checksum; `id` is added to IPv4's. */
static void set_length(uint8_t *ip, const struct ethernet *at, size_t len, uint32_t id)
{
	if (at->version == 6) {
		bytes_put_be16(ip + IPV6_LENGTH, (uint16_t)(len - IPV6_LEN));
		return;
	}
	bytes_put_be16(ip + IPV4_LENGTH, (uint16_t)len);
	bytes_put_be16(ip + IPV4_ID, (uint16_t)(bytes_be16(ip + IPV4_ID) + id));
	bytes_put_be16(ip + IPV4_CHECKSUM, 0);
	bytes_put_be16(ip + IPV4_CHECKSUM,
		checksum_finish(checksum_add(0, ip, at->transport - at->network)));
}

size_t segment_drop_first(uint8_t *frame, size_t len, struct offload *offload)
{
	size_t size = offload->segment_size;
	struct ethernet at;
	uint32_t headers, sum;
	uint8_t *transport, *field;

	ethernet_parse(frame, len, &at);
	headers = ethernet_payload(frame, &at);
	if (offload->segments == OFFLOAD_NONE || len - headers <= size)
		return 0;
	memmove(frame + size, frame, headers);
	frame += size;
	set_length(frame + at.network, &at, len - size - at.network, 1);
	transport = frame + at.transport;
	if (at.protocol == IP_TCP)
		bytes_put_be32(transport + TCP_SEQUENCE,
			bytes_be32(transport + TCP_SEQUENCE) + (uint32_t)size);
	else
		bytes_put_be16(transport + UDP_LENGTH, (uint16_t)(len - size - at.transport));
	/* The sum of the pseudo header, in which only the length has changed. */
	field = transport + offload->checksum_offset;
	sum = bytes_be16(field) + (uint32_t)(uint16_t) ~(uint16_t)size;
	bytes_put_be16(field, (uint16_t)~checksum_finish(sum));
	offload->header_len = (uint16_t)headers; /* a hint, which has to lie within the frame */
	if (len - size - headers <= size) {
		offload->segments = OFFLOAD_NONE;
		offload->segment_size = 0;
	}
	return size;
}

void segment_begin(struct segmenter *segmenter, uint8_t *frame, size_t len,
	const struct offload *offload, size_t frame_max)
{
	*segmenter = (struct segmenter){ .frame = frame, .size = offload->segment_size };
	ethernet_parse(frame, len, &segmenter->at);
	segmenter->is_tcp = segmenter->at.protocol == IP_TCP;
	segmenter->headers = ethernet_payload(frame, &segmenter->at);
	if (segmenter->is_tcp && segmenter->headers + segmenter->size > frame_max)
		segmenter->size = (uint32_t)frame_max - segmenter->headers;
}

static void finish_network(const struct segmenter *segmenter, uint8_t *headers, size_t data_len)
{
	const struct ethernet *at = &segmenter->at;

	set_length(headers + at->network, at, segmenter->headers - at->network + data_len,
		segmenter->n);
}

static void finish_tcp(const struct segmenter *segmenter, uint8_t *tcp, bool last)
{
	bytes_put_be32(tcp + TCP_SEQUENCE, bytes_be32(tcp + TCP_SEQUENCE) + segmenter->cut);
	if (!last)
		tcp[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (segmenter->n > 0)
		tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
}

/* The super-frame's field holds the sum of its pseudo header, in which only the length differs. */
static uint32_t pseudo_sum(const struct segmenter *segmenter, const uint8_t *field, size_t len)
{
	uint16_t whole = (uint16_t)(segmenter->at.end - segmenter->at.transport);

	return bytes_be16(field) + (uint32_t)(uint16_t)~whole + (uint32_t)len;
}

static void finish_transport(const struct segmenter *segmenter, struct segment *out, bool last)
{
	uint8_t *transport = out->headers + segmenter->at.transport;
	size_t transport_len = segmenter->headers - segmenter->at.transport;
	uint8_t *field = transport + (segmenter->is_tcp ? TCP_CHECKSUM : UDP_CHECKSUM);
	uint32_t sum = pseudo_sum(segmenter, field, transport_len + out->len);

	if (segmenter->is_tcp)
		finish_tcp(segmenter, transport, last);
	else
		bytes_put_be16(transport + UDP_LENGTH, (uint16_t)(transport_len + out->len));
	bytes_put_be16(field, 0);
	sum = checksum_add(sum, transport, transport_len);
	sum = checksum_add(sum, out->data, out->len);
	bytes_put_be16(field, checksum_finish(sum));
}

bool segment_next(struct segmenter *segmenter, struct segment *out)
{
	uint32_t left = segmenter->at.end - segmenter->headers - segmenter->cut;

	/* A super-frame without data is one segment, as it is. */
	if (left == 0 && segmenter->n > 0)
		return false;
	memcpy(out->headers, segmenter->frame, segmenter->headers);
	out->headers_len = segmenter->headers;
	out->data = segmenter->frame + segmenter->headers + segmenter->cut;
	out->len = left < segmenter->size ? left : segmenter->size;
	finish_network(segmenter, out->headers, out->len);
	finish_transport(segmenter, out, out->len == left);
	segmenter->cut += (uint32_t)out->len;
	segmenter->n++;
	return true;
}
