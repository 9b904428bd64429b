/* The seal: what is changed, old, seen, meant for another or an answer to another is not opened. */
#include "lib/bus_seal.h"

#include "lib/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEX_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX_B "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define NOW   1700000000000LL

#define TEXT	 "who is there?"
#define TEXT_LEN (sizeof(TEXT) - 1)
#define LEN	 (TEXT_LEN + SEAL_OVERHEAD)

static char path[] = "/tmp/lanyard-seal-XXXXXX";
static struct seal alice, bob;
static int64_t skew_ms;

static int64_t fixed_time(void)
{
	return NOW;
}

static int64_t skewed_time(void)
{
	return NOW + skew_ms;
}

static void keys_write(const char *text)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	cr_assert_geq(fputs(text, file), 0);
	fclose(file);
	/* A second has passed, and it is another file: not one of the same size in the same tick.
	 */
	alice.keyring.checked_ms = bob.keyring.checked_ms = 0;
	alice.keyring.seen = bob.keyring.seen = (struct stat){ 0 };
}

static void set_up(void)
{
	close(mkstemp(path));
	keys_write("a:" HEX_A "\n");
	cr_assert_eq(seal_init(&alice, path, "00000000-0000-7000-8000-00000000000a"), OK);
	cr_assert_eq(seal_init(&bob, path, "00000000-0000-7000-8000-00000000000b"), OK);
	alice.unix_ms = skewed_time;
	bob.unix_ms = fixed_time;
}

static void tear_down(void)
{
	seal_finish(&alice);
	seal_finish(&bob);
	unlink(path);
}

TestSuite(seal, .init = set_up, .fini = tear_down);

/* A sealed TEXT. */
struct sealed {
	struct seal_header header;
	uint8_t bytes[LEN];
};

static struct sealed sealed_by(
	struct seal *from, enum seal_kind kind, const uint8_t *to, const uint8_t *answers)
{
	struct sealed sealed = { .header = { .kind = kind, .answers = answers } };
	struct span plain = { (const uint8_t *)TEXT, TEXT_LEN };

	if (to != NULL)
		memcpy(sealed.header.recipient, to, SEAL_UUID_LEN);
	seal_close(from, &sealed.header, plain, sealed.bytes);
	return sealed;
}

static enum seal_verdict open_len(
	struct seal *to, const struct sealed *sealed, size_t len, const uint8_t *answers)
{
	struct seal_header header = { .answers = answers };
	uint8_t plain[LEN] = "";
	enum seal_verdict verdict =
		seal_open(to, &header, (struct span){ sealed->bytes, len }, plain);

	if (verdict == SEAL_FINE) {
		cr_expect_eq(memcmp(plain, TEXT, TEXT_LEN), 0);
		cr_expect_eq(header.kind, sealed->header.kind);
		cr_expect_eq(header.at_ms, sealed->header.at_ms);
		cr_expect_eq(memcmp(header.sender, sealed->header.sender, SEAL_UUID_LEN), 0);
		cr_expect_eq(memcmp(header.nonce, sealed->header.nonce, SEAL_NONCE_LEN), 0);
	}
	return verdict;
}

static enum seal_verdict open_by(
	struct seal *to, const struct sealed *sealed, const uint8_t *answers)
{
	return open_len(to, sealed, LEN, answers);
}

Test(seal, every_kind_opens)
{
	struct sealed request = sealed_by(&alice, SEAL_REQUEST, bob.self, NULL);
	struct sealed reply = sealed_by(&bob, SEAL_REPLY, alice.self, request.header.nonce);
	struct sealed away = sealed_by(&bob, SEAL_TURNED_AWAY, alice.self, request.header.nonce);
	struct sealed doorbell = sealed_by(&alice, SEAL_DOORBELL, NULL, NULL);

	cr_expect_eq(open_by(&bob, &request, NULL), SEAL_FINE);
	cr_expect_eq(open_by(&alice, &reply, request.header.nonce), SEAL_FINE);
	cr_expect_eq(open_by(&alice, &away, request.header.nonce), SEAL_FINE);
	cr_expect_eq(open_by(&bob, &doorbell, NULL), SEAL_FINE);
	cr_expect_eq(open_by(&alice, &doorbell, NULL), SEAL_FINE, "a doorbell is for all");
}

Test(seal, text_is_not_readable)
{
	struct sealed request = sealed_by(&alice, SEAL_REQUEST, bob.self, NULL);

	cr_expect_null(memmem(request.bytes, LEN, TEXT, 4));
}

/* Every byte of every field is covered by the seal. */
Test(seal, every_field)
{
	static const struct {
		const char *field;
		size_t at, len;
		enum seal_verdict want;
	} rows[] = {
		{ "magic", 0, 3, SEAL_MALFORMED },
		{ "version", 3, 1, SEAL_MALFORMED },
		{ "kind", 4, 1, SEAL_FORGED },
		{ "key id", 5, 8, SEAL_FORGED },
		{ "sender", 13, 16, SEAL_FORGED },
		{ "recipient", 29, 16, SEAL_FORGED },
		{ "time", 45, 8, SEAL_FORGED },
		{ "nonce", 53, 24, SEAL_FORGED },
		{ "text", SEAL_HEADER_LEN, TEXT_LEN, SEAL_FORGED },
		{ "tag", SEAL_HEADER_LEN + TEXT_LEN, 16, SEAL_FORGED },
	};
	struct sealed request = sealed_by(&alice, SEAL_REQUEST, bob.self, NULL);
	size_t covered = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert_eq(rows[i].at, covered);
		covered += rows[i].len;
		for (size_t k = 0; k < rows[i].len; k++) {
			struct sealed changed = request;

			/* A kind stays a kind: 1 becomes 3. */
			changed.bytes[rows[i].at + k] ^= 2;
			cr_expect_eq(open_by(&bob, &changed, NULL), rows[i].want, "%s, byte %zu",
				rows[i].field, k);
		}
	}
	cr_assert_eq(covered, LEN);
	cr_expect_eq(open_by(&bob, &request, NULL), SEAL_FINE, "forgeries use no nonce up");
}

Test(seal, every_length)
{
	struct sealed request = sealed_by(&alice, SEAL_REQUEST, bob.self, NULL);

	for (size_t len = 0; len < LEN; len++)
		cr_expect_eq(open_len(&bob, &request, len, NULL),
			len < SEAL_OVERHEAD ? SEAL_MALFORMED : SEAL_FORGED, "%zu bytes", len);
}

Test(seal, kinds)
{
	static const uint8_t bad[] = { 0, SEAL_DOORBELL + 1, 255 };
	struct sealed request = sealed_by(&alice, SEAL_REQUEST, bob.self, NULL);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		request.bytes[4] = bad[i];
		cr_expect_eq(open_by(&bob, &request, NULL), SEAL_MALFORMED);
	}
}

Test(seal, replay)
{
	struct sealed request = sealed_by(&alice, SEAL_REQUEST, bob.self, NULL);
	struct sealed doorbell = sealed_by(&alice, SEAL_DOORBELL, NULL, NULL);

	cr_expect_eq(open_by(&bob, &request, NULL), SEAL_FINE);
	cr_expect_eq(open_by(&bob, &request, NULL), SEAL_REPLAYED);
	cr_expect_eq(open_by(&bob, &doorbell, NULL), SEAL_FINE);
	cr_expect_eq(open_by(&bob, &doorbell, NULL), SEAL_REPLAYED);
}

Test(seal, swapped_reply)
{
	struct sealed one = sealed_by(&alice, SEAL_REQUEST, bob.self, NULL);
	struct sealed two = sealed_by(&alice, SEAL_REQUEST, bob.self, NULL);
	struct sealed reply = sealed_by(&bob, SEAL_REPLY, alice.self, one.header.nonce);

	cr_expect_eq(open_by(&alice, &reply, two.header.nonce), SEAL_FORGED);
	cr_expect_eq(open_by(&alice, &reply, NULL), SEAL_FORGED, "nor is it a request");
	cr_expect_eq(open_by(&bob, &one, one.header.nonce), SEAL_FORGED, "nor a request a reply");
	cr_expect_eq(open_by(&alice, &reply, one.header.nonce), SEAL_FINE);
}

Test(seal, wrong_recipient)
{
	struct sealed request = sealed_by(&alice, SEAL_REQUEST, alice.self, NULL);
	struct sealed nobody = sealed_by(&alice, SEAL_REQUEST, NULL, NULL);
	struct sealed doorbell = sealed_by(&alice, SEAL_DOORBELL, bob.self, NULL);

	cr_expect_eq(open_by(&bob, &request, NULL), SEAL_MISDIRECTED);
	cr_expect_eq(open_by(&bob, &request, NULL), SEAL_REPLAYED, "is told once");
	cr_expect_eq(open_by(&bob, &nobody, NULL), SEAL_MISDIRECTED);
	cr_expect_eq(open_by(&bob, &doorbell, NULL), SEAL_MISDIRECTED);
}

Test(seal, stale)
{
	static const struct {
		int64_t skew_ms;
		enum seal_verdict want;
	} rows[] = {
		{ 0, SEAL_FINE },
		{ -REPLAY_WINDOW_MS, SEAL_FINE },
		{ REPLAY_WINDOW_MS, SEAL_FINE },
		{ -REPLAY_WINDOW_MS - 1, SEAL_STALE },
		{ REPLAY_WINDOW_MS + 1, SEAL_STALE },
		{ -NOW, SEAL_STALE },
		{ -NOW - 1, SEAL_STALE },
	};
	static const uint8_t asked[SEAL_NONCE_LEN] = { 1 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sealed request, reply;

		skew_ms = rows[i].skew_ms;
		request = sealed_by(&alice, SEAL_REQUEST, bob.self, NULL);
		reply = sealed_by(&alice, SEAL_REPLY, bob.self, asked);
		cr_expect_eq(open_by(&bob, &request, NULL), rows[i].want, "row %zu", i);
		cr_expect_eq(open_by(&bob, &reply, asked), rows[i].want, "row %zu", i);
	}
}

/* The three steps of a rotation: at each, a process that is a step behind understands and is
 * understood. */
Test(seal, two_keys)
{
	static const char *const steps[] = {
		"a:" HEX_A "\n",
		"a:" HEX_A "\nb:" HEX_B "\n",
		"b:" HEX_B "\na:" HEX_A "\n",
		"b:" HEX_B "\n",
	};
	struct sealed request = sealed_by(&alice, SEAL_REQUEST, bob.self, NULL);

	for (size_t i = 1; i < ARRAY_LEN(steps); i++) {
		struct sealed old, new;

		keys_write(steps[i - 1]);
		old = sealed_by(&alice, SEAL_REQUEST, bob.self, NULL);
		keys_write(steps[i]);
		cr_expect_eq(open_by(&bob, &old, NULL), SEAL_FINE, "step %zu", i);
		new = sealed_by(&alice, SEAL_REQUEST, bob.self, NULL);
		keys_write(steps[i - 1]);
		cr_expect_eq(open_by(&bob, &new, NULL), SEAL_FINE, "step %zu", i);
	}
	keys_write("b:" HEX_B "\n");
	cr_expect_eq(open_by(&bob, &request, NULL), SEAL_FORGED, "the old key is out");
	keys_write("a:" HEX_B "\n");
	cr_expect_eq(open_by(&bob, &request, NULL), SEAL_FORGED, "another key of that id");
	keys_write("a:" HEX_A "\n");
	cr_expect_eq(open_by(&bob, &request, NULL), SEAL_FINE);
}

Test(seal, uuid)
{
	static const struct {
		const char *text;
		err_t want;
	} rows[] = {
		{ "00000000-0000-7000-8000-00000000000a", OK },
		{ "00000000-0000-7000-8000-00000000000", ERR_INVALID_ARGUMENT },
		{ "00000000-0000-7000-8000-00000000000g", ERR_INVALID_ARGUMENT },
		{ "000000000000000000000000000000000000", ERR_INVALID_ARGUMENT },
		{ "", ERR_INVALID_ARGUMENT },
	};
	uint8_t uuid[SEAL_UUID_LEN];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(seal_uuid(rows[i].text, uuid), rows[i].want, "row %zu", i);
}
