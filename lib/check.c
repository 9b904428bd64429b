/* check: the shared checks of outside values. Any thread. */
#include "lib/check.h"

#include "lib/utf8.h"

#include <string.h>

static bool is_lower_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool check_is_label(const char *text)
{
	size_t len = strlen(text);

	if (len < 1 || len > 63 || text[0] == '-' || text[len - 1] == '-')
		return false;
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

err_t check_label(struct call *call, const char *field, const char *text)
{
	if (!check_is_label(text))
		return call_refuse(call, ERR_INVALID_ARGUMENT, field,
			"expected a DNS label: 1 to 63 of a-z, 0-9 and -, not at either end");
	return OK;
}

bool check_is_uuid(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t i = 0;

	for (; form[i] != '\0'; i++)
		if (form[i] == 'x' ? !is_lower_hex(text[i]) : text[i] != '-')
			break;
	return form[i] == '\0' && text[i] == '\0';
}

err_t check_host_name(struct call *call, const char *field, const char *text, size_t max)
{
	const char *at = text;
	err_t err = OK;

	if (strlen(text) > max)
		return call_refuse(call, ERR_INVALID_ARGUMENT, field,
			"expected a host name of at most %zu bytes", max);
	do {
		size_t len = strcspn(at, ".");

		err = check_label(call, field, arena_strndup(call->arena, at, len));
		at += len;
	} while (err == OK && *at++ == '.');
	return err;
}

err_t check_uuid(struct call *call, const char *field, const char *text)
{
	if (!check_is_uuid(text))
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, field, "expected an id: a UUID in lower case");
	return OK;
}

err_t check_text(struct call *call, const char *field, const char *text, size_t min, size_t max)
{
	size_t len = strlen(text);
	size_t at = 0, step;

	for (; at < len; at += step)
		if ((step = utf8_printable((const uint8_t *)text + at, len - at)) == 0)
			return call_refuse(call, ERR_INVALID_ARGUMENT, field,
				"expected UTF-8 text without control characters");
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
