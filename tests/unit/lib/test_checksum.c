/* checksum: against the plainest way to sum, and the example of RFC 1071. */
#include "lib/checksum.h"

#include "tests/frames.h"

#include <criterion/criterion.h>

Test(checksum, of_the_rfc)
{
	static const uint8_t data[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	cr_assert_eq(checksum_add(0, data, sizeof(data)), 0xddf2);
	cr_assert_eq(checksum_finish(0xddf2), 0x220d);
}

Test(checksum, any_length_and_place)
{
	static uint8_t data[300];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31 + 200);
	for (size_t start = 0; start < 9; start++)
		for (size_t len = 0; start + len <= sizeof(data); len++)
			cr_assert_eq(checksum_add(7, data + start, len),
				frame_sum(7, data + start, len), "%zu bytes at %zu", len, start);
}

Test(checksum, carries_are_not_lost)
{
	static uint8_t ones[65536];

	memset(ones, 0xff, sizeof(ones));
	for (size_t len = 0; len < sizeof(ones); len += 1021)
		cr_assert_eq(checksum_add(0xffff, ones, len), frame_sum(0xffff, ones, len));
}

Test(checksum, is_never_none)
{
	cr_assert_eq(checksum_finish(0xffff), 0xffff);
	cr_assert_eq(checksum_finish(0x1fffe), 0xffff);
}

Test(checksum, follows_a_change)
{
	uint8_t data[40];

	for (unsigned word = 0; word < 0x10000; word += 13) {
		uint16_t before, checksum;

		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = (uint8_t)(word * i);
		checksum = checksum_finish(checksum_add(0, data, sizeof(data)));
		before = bytes_be16(data + 6);
		bytes_put_be16(data + 6, (uint16_t)word);
		cr_assert_eq(checksum_update(checksum, before, (uint16_t)word),
			checksum_finish(checksum_add(0, data, sizeof(data))));
	}
}
