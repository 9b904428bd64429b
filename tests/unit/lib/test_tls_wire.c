/* The client's end of TLS's records: many of them a system call, bounded, in order. */
#include "lib/tls_wire.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECORD 16000

static struct tls_socket wire;
static int ends[2];
static BIO *bio;

static void setup(void)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	wire = (struct tls_socket){ .fd = ends[0] };
	bio = tls_socket_bio(&wire);
}

static void teardown(void)
{
	BIO_free(bio);
	tls_socket_finish(&wire);
	close(ends[0]);
	if (ends[1] >= 0)
		close(ends[1]);
}

TestSuite(tls_wire, .init = setup, .fini = teardown);

/* Writes a record of bytes that tell their number. */
static bool put(uint8_t number)
{
	static uint8_t record[RECORD];
	size_t n = 0;

	memset(record, number, sizeof(record));
	if (BIO_write_ex(bio, record, sizeof(record), &n) != 1)
		return false;
	cr_assert_eq(n, sizeof(record));
	return true;
}

/* Takes everything from the peer's end, and checks that it goes on with byte `at`. */
static size_t drain(size_t at)
{
	static uint8_t got[RECORD];
	ssize_t n;

	while ((n = read(ends[1], got, sizeof(got))) > 0)
		for (ssize_t i = 0; i < n; i++, at++)
			cr_assert_eq(got[i], at / RECORD, "byte %zu", at);
	return at;
}

Test(tls_wire, what_is_written_waits_until_it_is_sent)
{
	cr_assert(put(0));
	cr_assert(put(1));
	cr_assert_eq(drain(0), 0);
	cr_assert(tls_socket_send(&wire));
	cr_assert_eq(drain(0), 2 * RECORD);
}

Test(tls_wire, a_peer_that_reads_nothing_costs_one_batch_and_loses_nothing)
{
	size_t n = 0, got = 0;

	while (n < 200 && put((uint8_t)n))
		n++;
	cr_assert(n > TLS_BATCH_MAX / RECORD && n < 200, "%zu records", n);
	cr_assert(BIO_should_retry(bio) && BIO_should_write(bio));
	cr_assert_leq(wire.wire.out_len, TLS_BATCH_MAX);
	while (n < 200) {
		got = drain(got);
		while (n < 200 && put((uint8_t)n))
			n++;
	}
	while (!tls_socket_send(&wire))
		got = drain(got);
	cr_assert_eq(drain(got), 200 * RECORD);
}

Test(tls_wire, one_receive_brings_many_records_and_an_end_is_told)
{
	uint8_t bytes[5];
	size_t n;

	cr_assert_eq(write(ends[1], "0123456789", 10), 10);
	cr_assert_eq(BIO_read_ex(bio, bytes, sizeof(bytes), &n), 1);
	cr_assert_eq(memcmp(bytes, "01234", 5), 0);
	cr_assert_eq(wire.wire.in_len, 5);
	cr_assert_eq(BIO_read_ex(bio, bytes, sizeof(bytes), &n), 1);
	cr_assert_eq(memcmp(bytes, "56789", 5), 0);
	cr_assert_eq(BIO_read_ex(bio, bytes, sizeof(bytes), &n), 0);
	cr_assert(BIO_should_read(bio));
	close(ends[1]);
	ends[1] = -1;
	cr_assert_eq(BIO_read_ex(bio, bytes, sizeof(bytes), &n), 0);
	cr_assert_not(BIO_should_retry(bio));
	cr_assert(BIO_eof(bio));
}

Test(tls_wire, a_broken_socket_is_no_reason_to_wait)
{
	close(ends[1]);
	ends[1] = -1;
	cr_assert(put(0));
	cr_assert_eq(BIO_flush(bio), -1);
	cr_assert_not(BIO_should_retry(bio));
}
