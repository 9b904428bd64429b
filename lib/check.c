/* check: the shared checks of outside values. Any thread. */
#include "lib/check.h"

#include <string.h>

static bool is_lower_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_label(const char *text)
{
	size_t len = strlen(text);

	if (len < 1 || len > 63 || text[0] == '-' || text[len - 1] == '-')
		return false;
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

err_t check_label(struct call *call, const char *field, const char *text)
{
	if (!is_label(text))
		return call_refuse(call, ERR_INVALID_ARGUMENT, field,
			"expected a DNS label: 1 to 63 of a-z, 0-9 and -, not at either end");
	return OK;
}

err_t check_uuid(struct call *call, const char *field, const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t i = 0;

	for (; form[i] != '\0'; i++)
		if (form[i] == 'x' ? !is_lower_hex(text[i]) : text[i] != '-')
			break;
	if (form[i] != '\0' || text[i] != '\0')
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, field, "expected an id: a UUID in lower case");
	return OK;
}

/* Length of the UTF-8 sequence at `s`, 0 if it is none (RFC 3629) or a control character. */
static size_t sequence_len(const unsigned char *s)
{
	size_t len;
	unsigned long code;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f ? 1 : 0;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;
	code = s[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3fu);
	}
	if ((len == 3 && code < 0x800) || (len == 4 && code < 0x10000) || code > 0x10ffff ||
		(code >= 0xd800 && code <= 0xdfff) || (code >= 0x80 && code < 0xa0))
		return 0;
	return len;
}

err_t check_text(struct call *call, const char *field, const char *text, size_t min, size_t max)
{
	size_t len = strlen(text);
	size_t at = 0;

	while (at < len) {
		size_t step = sequence_len((const unsigned char *)text + at);

		if (step == 0)
			return call_refuse(call, ERR_INVALID_ARGUMENT, field,
				"expected UTF-8 text without control characters");
		at += step;
	}
	if (len < min || len > max)
		return call_refuse(call, ERR_INVALID_ARGUMENT, field,
			"expected text of %zu to %zu bytes", min, max);
	return OK;
}

err_t check_word(struct call *call, const char *field, const char *text, const char *const words[])
{
	char list[160] = "";

	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcmp(text, words[i]) == 0)
			return OK;
		strncat(list, i > 0 ? ", " : "", sizeof(list) - strlen(list) - 1);
		strncat(list, words[i], sizeof(list) - strlen(list) - 1);
	}
	return call_refuse(call, ERR_INVALID_ARGUMENT, field, "expected one of: %s", list);
}
