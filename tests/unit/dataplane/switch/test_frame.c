/*
 * frame: the header's limits, and which texts are MAC addresses.
 */
#include "dataplane/switch/frame.h"
#include "lib/mem.h"

#include <criterion/criterion.h>
#include <string.h>

Test(frame, reads_both_addresses)
{
	const uint8_t bytes[FRAME_LEN_MIN] = { 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 2, 0, 0, 0, 0,
		9 };
	struct frame_header header;

	cr_assert_eq(frame_parse(bytes, sizeof(bytes), &header), OK);
	cr_assert_eq(header.destination, 0xfffefdfcfbfaULL);
	cr_assert_eq(header.source, 0x020000000009ULL);
}

Test(frame, refuses_what_is_too_short_or_too_long)
{
	static const uint8_t bytes[FRAME_LEN_MAX + 1];
	const struct {
		size_t len;
		err_t want;
	} rows[] = {
		{ 0, ERR_OUT_OF_RANGE },
		{ 12, ERR_OUT_OF_RANGE },
		{ 13, ERR_OUT_OF_RANGE },
		{ 14, OK },
		{ 1514, OK },
		{ 65549, OK },
		{ 65550, ERR_OUT_OF_RANGE },
	};
	struct frame_header header;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_assert_eq(frame_parse(bytes, rows[i].len, &header), rows[i].want, "%zu bytes",
			rows[i].len);
}

Test(frame, knows_a_group_address)
{
	cr_assert(frame_mac_is_group(0xffffffffffffULL));
	cr_assert(frame_mac_is_group(0x01005e000001ULL));
	cr_assert(frame_mac_is_group(0x333300000001ULL));
	cr_assert_not(frame_mac_is_group(0x020000000001ULL));
	cr_assert_not(frame_mac_is_group(0xfeffffffffffULL));
}

Test(frame, reads_the_text_of_an_address)
{
	const struct {
		const char *text;
		err_t want;
		uint64_t mac;
	} rows[] = {
		{ "02:00:00:00:00:01", OK, 0x020000000001ULL },
		{ "fE:dC:bA:98:76:54", OK, 0xfedcba987654ULL },
		{ "", ERR_INVALID_ARGUMENT, 0 },
		{ "00:00:00:00:00:00", ERR_INVALID_ARGUMENT, 0 },
		{ "ff:ff:ff:ff:ff:ff", ERR_INVALID_ARGUMENT, 0 },
		{ "01:00:5e:00:00:01", ERR_INVALID_ARGUMENT, 0 },
		{ "02-00-00-00-00-01", ERR_INVALID_ARGUMENT, 0 },
		{ "02:00:00:00:00:0g", ERR_INVALID_ARGUMENT, 0 },
		{ "02:00:00:00:00:1", ERR_INVALID_ARGUMENT, 0 },
		{ "02:00:00:00:00:01:", ERR_INVALID_ARGUMENT, 0 },
		{ "2:000:00:00:00:01", ERR_INVALID_ARGUMENT, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t mac = 0;

		cr_assert_eq(frame_mac_parse(rows[i].text, &mac), rows[i].want, "%s", rows[i].text);
		cr_assert_eq(mac, rows[i].mac, "%s", rows[i].text);
	}
}
