/* flow: what belongs together and what does not. */
#include "lib/frames/flow.h"

#include "lib/mem.h"
#include "tests/frames.h"

#include <criterion/criterion.h>

static uint32_t hash_of(struct frame_wish wish)
{
	uint8_t frame[2000];

	return flow_hash(0x123456789, frame, frame_make(frame, &wish));
}

Test(flow, a_connection_is_one)
{
	uint32_t flow = hash_of((struct frame_wish){ 4, IP_TCP, .source_port = 1 });

	cr_expect_eq(
		flow, hash_of((struct frame_wish){ 4, IP_TCP, .source_port = 1, .payload = 900 }));
	cr_expect_eq(flow, hash_of((struct frame_wish){ 4, IP_TCP, .source_port = 1, .tags = 1 }));
	cr_expect_eq(
		flow, hash_of((struct frame_wish){ 4, IP_TCP, .source_port = 1, .options = 4 }));
	cr_expect_neq(flow, hash_of((struct frame_wish){ 4, IP_TCP, .source_port = 2 }));
	cr_expect_neq(flow, hash_of((struct frame_wish){ 4, IP_UDP, .source_port = 1 }));
	cr_expect_neq(flow, hash_of((struct frame_wish){ 6, IP_TCP, .source_port = 1 }));
}

Test(flow, fragments_go_together_whatever_they_begin_with)
{
	cr_expect_eq(
		hash_of((struct frame_wish){ 4, IP_UDP, .fragment = 0x2000, .source_port = 1 }),
		hash_of((struct frame_wish){ 4, IP_UDP, .fragment = 0x0010, .source_port = 2 }));
}

Test(flow, what_is_not_ip_goes_by_its_addresses)
{
	uint8_t frame[60] = "\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\x06";
	uint32_t flow = flow_hash(1, frame, sizeof(frame));

	frame[30] = 7;
	cr_expect_eq(flow_hash(1, frame, sizeof(frame)), flow);
	frame[5] = 7;
	cr_expect_neq(flow_hash(1, frame, sizeof(frame)), flow);
}

Test(flow, depends_on_the_seed_and_spreads)
{
	unsigned buckets[256] = { 0 };
	uint8_t frame[2000];
	unsigned most = 0;

	for (unsigned i = 0; i < 25600; i++) {
		struct frame_wish wish = { 4, IP_TCP, .source_port = (uint16_t)i };
		size_t len = frame_make(frame, &wish);
		uint32_t flow = flow_hash(1, frame, len);

		cr_assert_neq(flow, flow_hash(2, frame, len));
		buckets[flow % 256]++;
	}
	for (size_t i = 0; i < ARRAY_LEN(buckets); i++)
		most = buckets[i] > most ? buckets[i] : most;
	cr_expect(most < 200, "%u of 25600 in one of 256", most);
}
