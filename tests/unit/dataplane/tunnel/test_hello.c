/* hello: what OpenSSL's clients send, cut into segments and records in every way, and what is none
 * of it. */
#include "dataplane/tunnel/hello.h"

#include "lib/bytes.h"
#include "lib/mem.h"

#include <criterion/criterion.h>
#include <openssl/ssl.h>

#include <stdlib.h>
#include <string.h>

#define RECORD_HEAD 5

struct flight {
	uint8_t data[64 * 1024];
	size_t len;
};

/* The first flight of a client that asks for `name` (NULL: none). */
static void make_flight(struct flight *flight, const char *name)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());

	SSL_set_bio(ssl, in, out);
	if (name)
		SSL_set_tlsext_host_name(ssl, name);
	cr_assert_lt(SSL_connect(ssl), 0);
	flight->len = (size_t)BIO_read(out, flight->data, sizeof(flight->data));
	SSL_free(ssl);
	SSL_CTX_free(context);
}

/* The same message in records of `step` bytes each. */
static void cut_records(struct flight *out, const struct flight *in, size_t step)
{
	out->len = 0;
	for (size_t at = RECORD_HEAD; at < in->len; at += step) {
		size_t len = in->len - at < step ? in->len - at : step;
		uint8_t *head = out->data + out->len;

		memcpy(head, in->data, 3);
		bytes_put_be16(head + 3, (uint16_t)len);
		memcpy(head + RECORD_HEAD, in->data + at, len);
		out->len += RECORD_HEAD + len;
	}
}

/* Every beginning of it wants more; the whole says `want`. */
static void expect_after_all(
	const struct flight *flight, enum hello_result want, const char *want_name)
{
	char name[HELLO_NAME_MAX];

	for (size_t len = 0; len < flight->len; len++) {
		uint8_t *copy = malloc(len + 1); /* so that ASan sees what lies behind it */

		memcpy(copy, flight->data, len);
		cr_assert_eq(hello_read(copy, len, name), HELLO_MORE, "%zu bytes", len);
		free(copy);
	}
	cr_assert_eq(hello_read(flight->data, flight->len, name), want);
	cr_assert_str_eq(name, want_name);
}

Test(hello, a_name_is_found_when_the_last_byte_is_there)
{
	static const struct {
		const char *name;
		enum hello_result want;
		const char *want_name;
	} rows[] = {
		{ "fabrice.box.example", HELLO_NAME, "fabrice.box.example" },
		{ "FABrice.Box.Example.", HELLO_NAME, "fabrice.box.example" },
		{ "020000000001.box.example", HELLO_NAME, "020000000001.box.example" },
		{ NULL, HELLO_NO_NAME, "" },
		{ "192.0.2.1", HELLO_NO_NAME, "" },
		{ "a b", HELLO_NO_NAME, "" },
		{ "a..b", HELLO_NO_NAME, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct flight flight;

		make_flight(&flight, rows[i].name);
		expect_after_all(&flight, rows[i].want, rows[i].want_name);
	}
}

Test(hello, records_may_be_of_any_length)
{
	static const size_t steps[] = { 1, 2, 3, 4, 5, 7, 40, 100, 511 };
	struct flight whole, cut;

	make_flight(&whole, "fabrice.box.example");
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		cut_records(&cut, &whole, steps[i]);
		expect_after_all(&cut, HELLO_NAME, "fabrice.box.example");
	}
}

Test(hello, what_follows_is_not_looked_at)
{
	struct flight flight;
	char name[HELLO_NAME_MAX];

	make_flight(&flight, "a.example");
	memset(flight.data + flight.len, 0x16, 100);
	cr_assert_eq(hello_read(flight.data, flight.len + 100, name), HELLO_NAME);
}

Test(hello, other_things_are_told_apart)
{
	static const struct {
		const char *data;
		size_t len;
		enum hello_result want;
	} rows[] = {
		{ "", 0, HELLO_MORE },
		{ "GET / HTTP/1.1\r\n", 16, HELLO_HTTP },
		{ "G", 1, HELLO_MORE },
		{ "OPTIONS", 7, HELLO_MORE },
		{ "ABCDEFGHIJK", 11, HELLO_GARBAGE },
		{ "SSH-2.0-x\r\n", 11, HELLO_GARBAGE },
		{ "\x00\x00", 2, HELLO_GARBAGE },
		{ "\x16\x02\x00\x00\x10", 5, HELLO_GARBAGE },	  /* SSL 2 */
		{ "\x16\x03\x01\x00\x00", 5, HELLO_GARBAGE },	  /* an empty record */
		{ "\x16\x03\x01\x40\x01", 5, HELLO_GARBAGE },	  /* too long a record */
		{ "\x16\x03\x01\x00\x04\x02", 6, HELLO_GARBAGE }, /* a ServerHello */
		{ "\x16\x03\x01\x00\x04\x01\x00\x40\x00", 9, HELLO_TOO_LONG },
		{ "\x16\x03\x01\x00\x04\x01\x00\x00\x00", 9, HELLO_GARBAGE },
		{ "\x16\x03\x01\x00\x04\x01\x00\x00\x08\x15\x03", 11, HELLO_GARBAGE },
	};
	char name[HELLO_NAME_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(hello_read((const uint8_t *)rows[i].data, rows[i].len, name),
			rows[i].want, "row %zu", i, name);
}

Test(hello, a_long_one_ends_at_the_bound)
{
	static uint8_t data[HELLO_MAX + 100];
	static const uint8_t head[] = { 0x16, 3, 1, 0, 1, 1 };
	char name[HELLO_NAME_MAX];

	/* One byte of the message in each record: the heads count too. */
	for (size_t at = 0; at + sizeof(head) <= sizeof(data); at += sizeof(head)) {
		memcpy(data + at, head, sizeof(head));
		data[at + 5] = at == 0 ? 1 : at == 2 * sizeof(head) ? 0x3f : 0;
	}
	cr_assert_eq(hello_read(data, HELLO_MAX - 1, name), HELLO_MORE);
	cr_assert_eq(hello_read(data, HELLO_MAX, name), HELLO_TOO_LONG);
	cr_assert_eq(hello_read(data, sizeof(data), name), HELLO_TOO_LONG);
}

/* Each length of the message, changed by one, is refused or harmless. */
Test(hello, lengths_that_lie_are_found)
{
	struct flight flight, changed;
	char name[HELLO_NAME_MAX];

	make_flight(&flight, "fabrice.box.example");
	for (size_t i = 5; i < flight.len; i++)
		for (int by = -1; by <= 1; by += 2) {
			changed = flight;
			changed.data[i] = (uint8_t)(changed.data[i] + by);
			(void)hello_read(changed.data, changed.len, name);
			cr_assert_lt(strlen(name), HELLO_NAME_MAX);
		}
	changed = flight;
	changed.data[8]--; /* the message is shorter than what is in it */
	cr_assert_eq(hello_read(changed.data, changed.len, name), HELLO_GARBAGE);
}
