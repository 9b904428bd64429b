/*
 * segment and mss: any frame of a batch, for a port without offload. The first byte says how long
 * its frames may be. Segments are bounded in number, their checksums are good, and their data
 * are those of the super-frame.
 */
#include "lib/frames/mss.h"
#include "lib/segment.h"

#include "lib/l2.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void expect(bool good)
{
	if (!good)
		abort();
}

static void cut(const struct l2_frame *frame, size_t frame_max)
{
	struct segmenter segmenter;
	struct segment segment;
	struct ethernet at, part;
	size_t done = 0, n = 0;
	uint32_t payload;

	ethernet_parse(frame->data, frame->len, &at);
	payload = ethernet_payload(frame->data, &at);
	segment_begin(&segmenter, frame->data, frame->len, &frame->offload, frame_max);
	for (; segment_next(&segmenter, &segment); n++) {
		AUTO_FREE uint8_t *made = xmalloc(segment.headers_len + segment.len);

		expect(segment.data == frame->data + payload + done);
		memcpy(made, segment.headers, segment.headers_len);
		memcpy(made + segment.headers_len, segment.data, segment.len);
		ethernet_parse(made, segment.headers_len + segment.len, &part);
		expect(part.version == at.version && part.transport == at.transport);
		expect(part.end == segment.headers_len + segment.len);
		done += segment.len;
	}
	expect(done == frame->len - payload);
	expect(n <= OFFLOAD_SEGMENTS_MAX + frame->len / (frame_max - payload));
}

/* One segment after the other is taken away: what is left fits its offload. */
static void drop(const struct l2_frame *frame)
{
	AUTO_FREE uint8_t *copy = xmalloc(frame->len);
	struct offload offload = frame->offload;
	uint8_t *at = copy;
	size_t len = frame->len, dropped;

	memcpy(copy, frame->data, len);
	while ((dropped = segment_drop_first(at, len, &offload)) > 0) {
		at += dropped;
		len -= dropped;
		expect(offload_fits(&offload, at, len));
	}
}

static void complete(struct l2_frame *frame)
{
	struct offload offload = frame->offload;
	struct ethernet before, after;

	ethernet_parse(frame->data, frame->len, &before);
	segment_complete(frame->data, frame->len, &offload);
	expect(offload_is_plain(&offload));
	ethernet_parse(frame->data, frame->len, &after);
	expect(memcmp(&before, &after, sizeof(after)) == 0);
	mss_clamp(frame->data, &after, &offload, 1486);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *message = malloc(len);
	struct l2_reader reader;
	struct l2_frame frame;
	enum l2_result result;

	if (len > 1) {
		memcpy(message, data + 1, len - 1);
		l2_reader_init(&reader, message, len - 1);
		while ((result = l2_next(&reader, &frame)) == L2_FRAME || result == L2_SKIPPED) {
			if (result == L2_SKIPPED)
				continue;
			drop(&frame);
			if (frame.offload.segments != OFFLOAD_NONE)
				cut(&frame, 600 + 8U * data[0]);
			else
				complete(&frame);
		}
	}
	free(message);
	return 0;
}
