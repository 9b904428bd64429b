/*
 * tap_write: how frames are given to a kernel; a pair of sockets that keeps what is written apart,
 * as a TAP does, is in its place.
 */
#include "lib/tap.h"

#include "lib/offload.h"
#include "tests/frames.h"

#include <criterion/criterion.h>

#include <sys/socket.h>
#include <unistd.h>

static int ends[2];
static struct tap tap;
static uint8_t frame[TAP_HEADER_LEN + ETHERNET_FRAME_MAX], got[TAP_HEADER_LEN + ETHERNET_FRAME_MAX];
static size_t len;

static void setup(void)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
	tap = (struct tap){ .fd = ends[0], .offload = true };
}

static void teardown(void)
{
	close(ends[0]);
	close(ends[1]);
}

TestSuite(tap_write, .init = setup, .fini = teardown);

/* A super-frame of 3000 bytes in datagrams of 1200, its header in front. */
static void make_super_frame(void)
{
	struct frame_wish wish = { 4, IP_UDP, .payload = 3000 };
	struct ethernet at;
	struct offload offload;

	len = frame_make(frame + TAP_HEADER_LEN, &wish);
	ethernet_parse(frame + TAP_HEADER_LEN, len, &at);
	frame_leave_checksum(frame + TAP_HEADER_LEN, len);
	offload = (struct offload){ OFFLOAD_NEEDS_CHECKSUM, OFFLOAD_UDP, 0, 1200,
		(uint16_t)at.transport, 6 };
	cr_assert(offload_fits(&offload, frame + TAP_HEADER_LEN, len));
	offload_write(&offload, frame);
	tap_write(&tap, frame, frame + TAP_HEADER_LEN, len);
}

Test(tap_write, a_kernel_that_cuts_udp_is_given_it_whole)
{
	tap.takes_datagrams = true;
	make_super_frame();
	cr_assert_eq(read(ends[1], got, sizeof(got)), (ssize_t)(TAP_HEADER_LEN + len));
	cr_assert_arr_eq(got, frame, TAP_HEADER_LEN + len);
	cr_assert_eq(tap.frames_in, 1);
}

Test(tap_write, for_another_it_is_cut_into_whole_datagrams)
{
	static const uint8_t plain[TAP_HEADER_LEN];
	size_t data = 0;

	make_super_frame();
	for (int i = 0; i < 3; i++) {
		ssize_t n = read(ends[1], got, sizeof(got));
		const uint8_t *one = got + TAP_HEADER_LEN;
		struct ethernet at;

		cr_assert_gt(n, TAP_HEADER_LEN);
		cr_assert_arr_eq(got, plain, TAP_HEADER_LEN);
		ethernet_parse(one, (size_t)n - TAP_HEADER_LEN, &at);
		cr_assert_eq(at.end, (size_t)n - TAP_HEADER_LEN);
		cr_assert_eq(frame_transport_sum(one, &at), 0xffff);
		data += at.end - ethernet_payload(one, &at);
	}
	cr_assert_eq(read(ends[1], got, sizeof(got)), -1);
	cr_assert_eq(data, 3000);
	cr_assert_eq(tap.frames_in, 3);
	cr_assert_eq(tap.dropped, 0);
}

Test(tap_write, a_frame_without_a_header_and_one_that_is_too_short)
{
	memset(frame, 1, 60);
	tap_write(&tap, NULL, frame, 60);
	cr_assert_eq(read(ends[1], got, sizeof(got)), TAP_HEADER_LEN + 60);
	tap_write(&tap, NULL, frame, 13);
	cr_assert_eq(read(ends[1], got, sizeof(got)), -1);
	cr_assert_eq(tap.dropped, 1);
}
