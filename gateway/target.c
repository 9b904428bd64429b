/* target: splits first and decodes then, so that an escaped '/', '&' or '=' is text. Any thread. */
#include "gateway/target.h"

#include "lib/utf8.h"

#include <string.h>

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that an escape "%41" stands for; -1 if it is none or stands for NUL. */
static int escape_value(const char *escape, size_t len)
{
	int high, low;

	if (len < 3 || (high = hex_value(escape[1])) < 0 || (low = hex_value(escape[2])) < 0)
		return -1;
	return high * 16 + low != 0 ? high * 16 + low : -1;
}

/* Decodes in a copy; `blank` is the character that stands for a blank, or 0. NULL if it is refused.
 */
static char *decode(struct call *call, const char *text, size_t len, char blank)
{
	char *copy = arena_alloc(call->arena, len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int value = (unsigned char)text[i];

		if (text[i] == '%') {
			if ((value = escape_value(text + i, len - i)) < 0)
				return NULL;
			i += 2;
		} else if (blank != 0 && text[i] == blank) {
			value = ' ';
		}
		copy[n++] = (char)value;
	}
	return utf8_valid((const uint8_t *)copy, n) ? copy : NULL;
}

static err_t refuse(struct call *call, const char *field, const char *where)
{
	return call_refuse(call, ERR_INVALID_ARGUMENT, field,
		"expected a %s of UTF-8 text with proper percent-escapes", where);
}

static err_t path_parse(struct call *call, const char *path, size_t len, struct target *target)
{
	const char *end = path + len;

	if (len == 0 || path[0] != '/')
		return call_refuse(call, ERR_INVALID_ARGUMENT, "", "expected a path");
	for (const char *at = path; at < end;) {
		size_t step = strcspn(++at, "/?");

		if (target->n_segments == TARGET_SEGMENTS_MAX)
			return call_refuse(call, ERR_NOT_FOUND, "", "there is nothing here");
		target->segments[target->n_segments] = decode(call, at, step, 0);
		if (target->segments[target->n_segments++] == NULL)
			return refuse(call, "", "path");
		at += step;
	}
	return OK;
}

static err_t parameter_add(
	struct call *call, const char *where, struct form *form, const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - text) : len;
	size_t value_at = equals != NULL ? name_len + 1 : len;
	struct parameter parameter = {
		.name = decode(call, text, name_len, '+'),
		.value = decode(call, text + value_at, len - value_at, '+'),
	};

	if (parameter.name == NULL || parameter.value == NULL)
		return refuse(call, parameter.name != NULL ? parameter.name : "", where);
	if (form->n == TARGET_PARAMETERS_MAX)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "", "expected fewer %s parameters", where);
	for (size_t i = 0; i < form->n; i++)
		if (strcmp(form->parameters[i].name, parameter.name) == 0)
			return call_refuse(call, ERR_INVALID_ARGUMENT, parameter.name,
				"expected each %s parameter once", where);
	form->parameters[form->n++] = parameter;
	return OK;
}

err_t form_parse(
	struct call *call, const char *where, const char *text, size_t len, struct form *form)
{
	const char *end = text + len;

	form->n = 0;
	while (text < end) {
		const char *and = memchr(text, '&', (size_t)(end - text));
		size_t step = and != NULL ? (size_t)(and-text) : (size_t)(end - text);
		err_t err = step > 0 ? parameter_add(call, where, form, text, step) : OK;

		if (err != OK)
			return err;
		text += step + 1;
	}
	return OK;
}

const char *form_find(const struct form *form, const char *name)
{
	for (size_t i = 0; i < form->n; i++)
		if (strcmp(form->parameters[i].name, name) == 0)
			return form->parameters[i].value;
	return NULL;
}

const char *form_value(const struct form *form, const char *name)
{
	const char *value = form_find(form, name);

	return value != NULL ? value : "";
}

err_t target_parse(struct call *call, const char *text, struct target *target)
{
	size_t path_len = strcspn(text, "?");
	const char *query = text + path_len;
	err_t err;

	memset(target, 0, sizeof(*target));
	if ((err = path_parse(call, text, path_len, target)) != OK || *query == '\0')
		return err;
	return form_parse(call, "query", query + 1, strlen(query + 1), &target->query);
}
