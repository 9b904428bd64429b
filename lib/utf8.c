/* utf8: by the table of well-formed byte sequences of RFC 3629, section 4. Any thread. */
#include "lib/utf8.h"

#include "lib/mem.h"

#include <string.h>

/* First bytes `from` to `to` begin sequences of `len` bytes whose second is `low` to `high`. */
static const struct form {
	uint8_t from, to, len, low, high;
} forms[] = {
	{ 0x00, 0x7f, 1, 0, 0 },
	{ 0xc2, 0xdf, 2, 0x80, 0xbf },
	{ 0xe0, 0xe0, 3, 0xa0, 0xbf },
	{ 0xe1, 0xec, 3, 0x80, 0xbf },
	{ 0xed, 0xed, 3, 0x80, 0x9f },
	{ 0xee, 0xef, 3, 0x80, 0xbf },
	{ 0xf0, 0xf0, 4, 0x90, 0xbf },
	{ 0xf1, 0xf3, 4, 0x80, 0xbf },
	{ 0xf4, 0xf4, 4, 0x80, 0x8f },
};

static const struct form *form_of(uint8_t first)
{
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (first >= forms[i].from && first <= forms[i].to)
			return &forms[i];
	return NULL;
}

size_t utf8_sequence(const uint8_t *text, size_t len)
{
	const struct form *form = len > 0 ? form_of(text[0]) : NULL;

	if (form == NULL || len < form->len)
		return 0;
	if (form->len > 1 && (text[1] < form->low || text[1] > form->high))
		return 0;
	for (size_t i = 2; i < form->len; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return form->len;
}

size_t utf8_printable(const uint8_t *text, size_t len)
{
	size_t step = utf8_sequence(text, len);
	bool c0 = step == 1 && (text[0] < 0x20 || text[0] == 0x7f);
	bool c1 = step == 2 && text[0] == 0xc2 && text[1] < 0xa0;

	return c0 || c1 ? 0 : step;
}

void utf8_copy(char *out, size_t size, const char *text)
{
	const uint8_t *at = (const uint8_t *)text;
	size_t left = strlen(text), step;

	for (; (step = utf8_sequence(at, left)) > 0; at += step, left -= step) {
		bool printable = utf8_printable(at, left) > 0;
		size_t len = printable ? step : 1;

		if (len >= size)
			break;
		memcpy(out, printable ? (const char *)at : "?", len);
		out += len;
		size -= len;
	}
	*out = '\0';
}

bool utf8_valid(const uint8_t *text, size_t len)
{
	struct utf8_state state = { 0 };

	return utf8_go_on(&state, text, len) && utf8_is_whole(&state);
}

/* Length of the ASCII that begins the text, or a little less. */
static size_t skip_ascii(const uint8_t *text, size_t len)
{
	uint64_t eight;
	size_t at = 0;

	for (; at + sizeof(eight) <= len; at += sizeof(eight)) {
		memcpy(&eight, text + at, sizeof(eight));
		if (eight & 0x8080808080808080)
			break;
	}
	return at;
}

static bool begin_sequence(struct utf8_state *state, uint8_t first)
{
	const struct form *form = form_of(first);

	if (form == NULL)
		return false;
	*state = (struct utf8_state){ (uint8_t)(form->len - 1), form->low, form->high };
	return true;
}

bool utf8_go_on(struct utf8_state *state, const uint8_t *part, size_t len)
{
	for (size_t at = 0; at < len; at++) {
		if (state->need == 0) {
			at += skip_ascii(part + at, len - at);
			if (at < len && !begin_sequence(state, part[at]))
				return false;
			continue;
		}
		if (part[at] < state->low || part[at] > state->high)
			return false;
		*state = (struct utf8_state){ (uint8_t)(state->need - 1), 0x80, 0xbf };
	}
	return true;
}

bool utf8_is_whole(const struct utf8_state *state)
{
	return state->need == 0;
}
