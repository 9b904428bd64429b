/*
 * l2: any bytes as a batch. A frame that is given out lies in the message, has an offload whose
 * checksum lies in it behind the Ethernet header, and is read again as it was.
 */
#include "lib/l2.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void expect(bool good)
{
	if (!good)
		abort();
}

static void check(const struct l2_frame *frame, const uint8_t *message, size_t len)
{
	const struct offload *offload = &frame->offload;
	uint8_t header[L2_HEADER_LEN];
	struct ethernet at;

	expect(frame->data >= message + L2_HEADER_LEN && frame->len <= len);
	expect(frame->data + frame->len <= message + len);
	expect(frame->len >= L2_FRAME_MIN && offload->header_len <= frame->len);
	l2_write_header(header, offload, frame->len);
	expect(memcmp(header, frame->data - L2_HEADER_LEN, L2_HEADER_LEN) == 0);
	if (offload_is_plain(offload))
		return;
	ethernet_parse(frame->data, frame->len, &at);
	expect(at.version != 0 && !at.fragmented && at.end <= frame->len);
	expect(offload->checksum_start >= at.network + (at.version == 4 ? 20 : 40));
	expect(offload->checksum_start + offload->checksum_offset + 2U <= frame->len);
	if (offload->segments == OFFLOAD_NONE)
		return;
	expect(ethernet_payload(frame->data, &at) > 0 && offload->segment_size > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *message = malloc(len);
	struct l2_reader reader;
	struct l2_frame frame;
	enum l2_result result;

	if (len > 0)
		memcpy(message, data, len);
	l2_reader_init(&reader, message, len);
	while ((result = l2_next(&reader, &frame)) == L2_FRAME || result == L2_SKIPPED)
		if (result == L2_FRAME)
			check(&frame, message, len);
	free(message);
	return 0;
}
