/*
 * joiner: any batch of frames. Nothing is lost, nothing comes twice, data stay in their order, and
 * what was joined fits its header.
 */
#include "lib/joiner.h"

#include "lib/ethernet.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t *before, *after; /* data of all frames, as they came and as they were given out */
static size_t n_before, n_after;

static void expect(bool good)
{
	if (!good)
		abort();
}

/* Of a datagram what is behind its headers, of others all. */
static void note(uint8_t *all, size_t *n, const struct l2_frame *frame)
{
	struct ethernet at;
	uint32_t from;

	ethernet_parse(frame->data, frame->len, &at);
	from = at.protocol == IP_UDP ? ethernet_payload(frame->data, &at) : 0;
	memcpy(all + *n, frame->data + from, frame->len - from);
	*n += frame->len - from;
}

static void give_out(struct joiner *joiner)
{
	struct l2_frame joined;

	if (!joiner_end(joiner, &joined))
		return;
	expect(offload_fits(&joined.offload, joined.data, joined.len));
	note(after, &n_after, &joined);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *message = malloc(len);
	struct joiner joiner = { .n = 0 };
	struct l2_reader reader;
	struct l2_frame frame;
	enum l2_result result;

	before = malloc(len);
	after = malloc(len);
	n_before = n_after = 0;
	memcpy(message, data, len);
	l2_reader_init(&reader, message, len);
	while ((result = l2_next(&reader, &frame)) == L2_FRAME || result == L2_SKIPPED) {
		if (result == L2_SKIPPED)
			continue;
		note(before, &n_before, &frame);
		if (joiner_add(&joiner, &frame))
			continue;
		give_out(&joiner);
		joiner_begin(&joiner, &frame);
	}
	give_out(&joiner);
	expect(n_before == n_after && memcmp(before, after, n_before) == 0);
	free(message);
	free(before);
	free(after);
	return 0;
}
