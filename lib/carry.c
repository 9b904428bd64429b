/*
 * carry: see carry.h. ASCII, the usual case, goes eight bytes at a time.
 */
#include "lib/carry.h"

#include "lib/utf8.h"

#include <string.h>

static const uint8_t replacement[] = { 0xEF, 0xBF, 0xBD };

static size_t ascii_run(const uint8_t *data, size_t len)
{
	size_t at = 0;
	uint64_t word;

	for (; at + sizeof(word) <= len; at += sizeof(word)) {
		memcpy(&word, data + at, sizeof(word));
		if (word & 0x8080808080808080u)
			break;
	}
	while (at < len && data[at] < 0x80)
		at++;
	return at;
}

size_t carry_valid(const uint8_t *data, size_t len)
{
	size_t at = 0, step;

	for (;;) {
		at += ascii_run(data + at, len - at);
		if (at == len || (step = utf8_sequence(data + at, len - at)) == 0)
			return at;
		at += step;
	}
}

bool carry_may_begin(const uint8_t *data, size_t len)
{
	static const uint8_t tails[] = { 0x80, 0x90, 0xA0 };
	uint8_t whole[4];

	if (len == 0 || len > CARRY_MAX)
		return false;
	/* It may if some continuation makes it whole; what is allowed second differs, hence three.
	 */
	for (size_t i = 0; i < sizeof(tails); i++) {
		memset(whole, 0x80, sizeof(whole));
		memcpy(whole, data, len);
		if (len == 1)
			whole[1] = tails[i];
		if (utf8_sequence(whole, sizeof(whole)) > len)
			return true;
	}
	return false;
}

/* Copies what is valid, replaces what is not, and stops where a character is cut. */
static size_t copy(struct carry *carry, const uint8_t *data, size_t len, uint8_t *out)
{
	size_t n = 0;

	while (len > 0) {
		size_t run = carry_valid(data, len);

		memcpy(out + n, data, run);
		n += run;
		data += run;
		len -= run;
		if (len == 0)
			break;
		if (carry_may_begin(data, len)) {
			memcpy(carry->bytes, data, len);
			carry->n = (uint8_t)len;
			break;
		}
		memcpy(out + n, replacement, sizeof(replacement));
		n += sizeof(replacement);
		data++;
		len--;
	}
	return n;
}

size_t carry_next(struct carry *carry, const uint8_t *data, size_t len, uint8_t *out)
{
	uint8_t joint[2 * CARRY_MAX];
	size_t waited = carry->n, taken, n;

	if (waited == 0 || len == 0)
		return copy(carry, data, len, out);
	/* What waits and a little of what follows: enough for one character. */
	taken = len < CARRY_MAX ? len : CARRY_MAX;
	memcpy(joint, carry->bytes, waited);
	memcpy(joint + waited, data, taken);
	carry->n = 0;
	n = copy(carry, joint, waited + taken, out);
	if (carry->n > 0 && taken < len) {
		/* The cut is of the joint only: its bytes are read again where they stand. */
		taken -= carry->n;
		carry->n = 0;
	}
	return n + copy(carry, data + taken, len - taken, out + n);
}

size_t carry_end(struct carry *carry, uint8_t *out)
{
	size_t n = carry->n > 0 ? sizeof(replacement) : 0;

	memcpy(out, replacement, n);
	carry->n = 0;
	return n;
}
