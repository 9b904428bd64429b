/*
 * joiner: what is joined is, once it is cut again, what it was made of; and nothing is joined that
 * would not be.
 */
#include "lib/joiner.h"

#include "lib/mem.h"
#include "lib/segment.h"
#include "tests/frames.h"

#include <criterion/criterion.h>

#define N_MAX 80

static uint8_t batch[N_MAX * 4096];
static struct l2_frame frames[N_MAX];
static uint8_t originals[N_MAX][4096]; /* with their checksums */
static size_t n_frames, used;
static struct joiner joiner;

/* Adds a datagram as the sender's kernel gives it; the sender counts its ids up. */
static struct l2_frame *add(const struct frame_wish *wish)
{
	uint8_t *data = batch + used + L2_HEADER_LEN;
	size_t len = frame_make(data, wish);
	struct l2_frame *frame = &frames[n_frames];
	struct ethernet at;

	ethernet_parse(data, len, &at);
	if (wish->version == 4) {
		uint8_t *ip = data + at.network;

		bytes_put_be16(ip + 4, (uint16_t)(0x1234 + n_frames));
		bytes_put_be16(ip + 10, (uint16_t)~frame_sum(0, ip, at.transport - at.network));
	}
	frame_leave_checksum(data, len);
	*frame = (struct l2_frame){ .data = data,
		.len = len,
		.offload = { .flags = OFFLOAD_NEEDS_CHECKSUM,
			.checksum_start = (uint16_t)at.transport,
			.checksum_offset = wish->protocol == IP_TCP ? 16 : 6 } };
	memcpy(originals[n_frames], data, len);
	segment_complete(originals[n_frames], len,
		&(struct offload){ frame->offload.flags, .checksum_start = (uint16_t)at.transport,
			.checksum_offset = frame->offload.checksum_offset });
	used += L2_HEADER_LEN + len;
	n_frames++;
	return frame;
}

static void setup(void)
{
	n_frames = used = 0;
}

TestSuite(joiner, .init = setup);

/* Joins all; what was joined, whose frames are the first `n`, has to be those again when cut. */
static void expect_same(const struct l2_frame *joined, size_t n)
{
	struct segmenter segmenter;
	struct segment segment;
	size_t i = 0;

	cr_assert(offload_fits(&joined->offload, joined->data, joined->len));
	cr_assert_eq(joined->offload.segments, OFFLOAD_UDP);
	segment_begin(&segmenter, joined->data, joined->len, &joined->offload, 4096);
	for (; segment_next(&segmenter, &segment); i++) {
		cr_assert_eq(segment.headers_len + segment.len, frames[i].len, "length of %zu", i);
		cr_assert_arr_eq(segment.headers, originals[i], segment.headers_len, "%zu", i);
		cr_assert_arr_eq(segment.data, originals[i] + segment.headers_len, segment.len);
	}
	cr_assert_eq(i, n, "%zu datagrams of %zu", i, n);
}

Test(joiner, cut_again_they_are_what_they_were)
{
	static const struct frame_wish rows[] = {
		{ 4, IP_UDP, .payload = 22 },
		{ 4, IP_UDP, .payload = 1 },
		{ 4, IP_UDP, .payload = 1001, .source_port = 7 },
		{ 6, IP_UDP, .payload = 1000 },
		{ 6, IP_UDP, .tags = 1, .payload = 77 },
		{ 4, IP_UDP, .tags = 2, .payload = 500 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct frame_wish last = rows[i];
		struct l2_frame joined;

		setup();
		for (int n = 0; n < 20; n++)
			add(&rows[i]);
		last.payload = rows[i].payload / 2 + 1; /* the last one may be shorter */
		add(&last);
		joiner_begin(&joiner, &frames[0]);
		for (size_t n = 1; n < n_frames; n++)
			cr_assert(joiner_add(&joiner, &frames[n]), "row %zu, frame %zu", i, n);
		cr_assert(joiner_end(&joiner, &joined));
		cr_assert_eq(joined.data, frames[0].data);
		expect_same(&joined, n_frames);
		cr_assert_not(joiner_end(&joiner, &joined));
	}
}

Test(joiner, one_alone_stays_as_it_is)
{
	struct frame_wish wish = { 4, IP_UDP, .payload = 100 };
	struct l2_frame joined, *first = add(&wish);
	uint8_t before[4096];

	memcpy(before, first->data, first->len);
	joiner_begin(&joiner, first);
	cr_assert(joiner_end(&joiner, &joined));
	cr_assert_eq(joined.len, first->len);
	cr_assert_arr_eq(joined.data, before, first->len);
	cr_assert_eq(joined.offload.segments, OFFLOAD_NONE);
}

Test(joiner, nothing_follows_a_shorter_one_and_no_more_than_a_kernel_cuts)
{
	struct frame_wish wish = { 4, IP_UDP, .payload = 100 },
			  shorter = { 4, IP_UDP, .payload = 99 };
	size_t n = 1;

	for (int i = 0; i < 70; i++)
		add(&wish);
	joiner_begin(&joiner, &frames[0]);
	while (joiner_add(&joiner, &frames[n]))
		n++;
	cr_assert_eq(n, JOINER_MAX);
	setup();
	add(&wish);
	add(&shorter);
	add(&shorter);
	joiner_begin(&joiner, &frames[0]);
	cr_assert(joiner_add(&joiner, &frames[1]));
	cr_assert_not(joiner_add(&joiner, &frames[2]));
}

/* What is done to the second of two that would be joined. */
enum spoiling {
	LONGER,
	OTHER_PORT,
	OTHER_ADDRESS,
	OTHER_MAC,
	OTHER_TTL,
	OTHER_TOS,
	OTHER_ID,
	CHECKED,
	SEGMENTS,
	WRONG_UDP_LENGTH,
	WRONG_IP_LENGTH,
	TCP,
	N_SPOILINGS,
};

static void spoil(struct l2_frame *frame, enum spoiling how)
{
	uint8_t *ip = frame->data + 14;

	switch (how) {
	case OTHER_PORT:
		ip[20]++;
		break;
	case OTHER_ADDRESS:
		ip[15]++;
		break;
	case OTHER_MAC:
		frame->data[11]++;
		break;
	case OTHER_TTL:
		ip[8]--;
		break;
	case OTHER_TOS:
		ip[1]++;
		break;
	case OTHER_ID:
		ip[5]++;
		break;
	case CHECKED:
		frame->offload.flags = 0;
		break;
	case SEGMENTS:
		frame->offload.segments = OFFLOAD_UDP;
		break;
	case WRONG_UDP_LENGTH:
		ip[25]++;
		break;
	case WRONG_IP_LENGTH:
		ip[3]--;
		break;
	default:
		break;
	}
}

Test(joiner, what_differs_stays_apart)
{
	for (int how = 0; how < N_SPOILINGS; how++) {
		struct frame_wish wish = { 4, how == TCP ? IP_TCP : IP_UDP, .payload = 100 };

		setup();
		add(&wish);
		wish.payload += how == LONGER;
		add(&wish);
		spoil(&frames[1], (enum spoiling)how);
		joiner_begin(&joiner, &frames[0]);
		cr_assert_not(joiner_add(&joiner, &frames[1]), "%d", how);
	}
}

Test(joiner, whoever_is_not_whole_begins_nothing)
{
	static const struct frame_wish rows[] = {
		{ 4, IP_UDP, .payload = 0 },
		{ 4, IP_UDP, .options = 8, .payload = 100 },
		{ 4, IP_UDP, .fragment = 0x2000, .payload = 100 },
		{ 6, IP_UDP, .options = 8, .payload = 100 },
		{ 4, IP_ICMP, .payload = 100 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		setup();
		add(&rows[i]);
		add(&rows[i]);
		joiner_begin(&joiner, &frames[0]);
		cr_assert_not(joiner_add(&joiner, &frames[1]), "row %zu", i);
	}
}

Test(joiner, an_id_means_nothing_where_nothing_may_be_cut)
{
	struct frame_wish wish = { 4, IP_UDP, .fragment = 0x4000, .payload = 100 };

	add(&wish);
	add(&wish);
	frames[1].data[14 + 4] = 0;
	joiner_begin(&joiner, &frames[0]);
	cr_assert(joiner_add(&joiner, &frames[1]));
}
