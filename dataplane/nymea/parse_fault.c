/*
 * parse_fault: a scanner that walks a text in the order in which Qt 5's parser does, so that it
 * meets the same fault first. Nesting is bounded, as it is there.
 */
#include "dataplane/nymea/parse_fault.h"

#include "lib/mem.h"
#include "lib/utf8.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define DEPTH_MAX 1024

enum fault {
	NONE,
	UNTERMINATED_OBJECT,
	MISSING_NAME_SEPARATOR,
	UNTERMINATED_ARRAY,
	MISSING_VALUE_SEPARATOR,
	ILLEGAL_VALUE,
	TERMINATION_BY_NUMBER,
	ILLEGAL_ESCAPE,
	ILLEGAL_UTF8,
	UNTERMINATED_STRING,
	MISSING_OBJECT,
	DEEP_NESTING,
	GARBAGE_AT_END,
};

static const char *const texts[] = {
	[NONE] = "illegal value", /* jansson refuses more: what Qt would take is no value here */
	[UNTERMINATED_OBJECT] = "unterminated object",
	[MISSING_NAME_SEPARATOR] = "missing name separator",
	[UNTERMINATED_ARRAY] = "unterminated array",
	[MISSING_VALUE_SEPARATOR] = "missing value separator",
	[ILLEGAL_VALUE] = "illegal value",
	[TERMINATION_BY_NUMBER] = "invalid termination by number",
	[ILLEGAL_ESCAPE] = "invalid escape sequence",
	[ILLEGAL_UTF8] = "invalid UTF8 string",
	[UNTERMINATED_STRING] = "unterminated string",
	[MISSING_OBJECT] = "object is missing after a comma",
	[DEEP_NESTING] = "too deeply nested document",
	[GARBAGE_AT_END] = "garbage at the end of the document",
};

struct scan {
	const char *at, *end;
	unsigned depth;
};

static enum fault scan_value(struct scan *scan);

/* Passes over white space; false at the end of the text. */
static bool skip_space(struct scan *scan)
{
	while (scan->at < scan->end && strchr(" \t\r\n", *scan->at) && *scan->at != '\0')
		scan->at++;
	return scan->at < scan->end;
}

/* The next character that is no white space, taken; 0 at the end. */
static char next_token(struct scan *scan)
{
	return skip_space(scan) ? *scan->at++ : '\0';
}

/* ---- strings and numbers ---- */

static enum fault scan_escape(struct scan *scan)
{
	if (++scan->at >= scan->end)
		return ILLEGAL_ESCAPE;
	if (*scan->at++ != 'u')
		return NONE; /* an unknown one stands for itself */
	for (int i = 0; i < 4; i++, scan->at++)
		if (scan->at >= scan->end || !isxdigit((unsigned char)*scan->at))
			return ILLEGAL_ESCAPE;
	return NONE;
}

static enum fault scan_string(struct scan *scan)
{
	while (scan->at < scan->end && *scan->at != '"') {
		size_t n;

		if (*scan->at == '\\') {
			enum fault fault = scan_escape(scan);

			if (fault != NONE)
				return fault;
			continue;
		}
		n = utf8_sequence((const uint8_t *)scan->at, (size_t)(scan->end - scan->at));
		if (n == 0)
			return ILLEGAL_UTF8;
		scan->at += n;
	}
	if (scan->at >= scan->end)
		return UNTERMINATED_STRING;
	scan->at++;
	return NONE;
}

static void skip_digits(struct scan *scan)
{
	while (scan->at < scan->end && isdigit((unsigned char)*scan->at))
		scan->at++;
}

static bool skip_one(struct scan *scan, const char *characters)
{
	if (scan->at >= scan->end || *scan->at == '\0' || !strchr(characters, *scan->at))
		return false;
	scan->at++;
	return true;
}

static enum fault scan_number(struct scan *scan)
{
	const char *start = scan->at;

	skip_one(scan, "-");
	if (!skip_one(scan, "0"))
		skip_digits(scan);
	if (skip_one(scan, "."))
		skip_digits(scan);
	if (skip_one(scan, "eE")) {
		skip_one(scan, "+-");
		skip_digits(scan);
	}
	if (scan->at >= scan->end)
		return TERMINATION_BY_NUMBER;
	return scan->at == start ? ILLEGAL_VALUE : NONE;
}

/* ---- objects and arrays ---- */

static enum fault scan_member(struct scan *scan)
{
	enum fault fault = scan_string(scan);

	if (fault != NONE)
		return fault;
	if (next_token(scan) != ':')
		return MISSING_NAME_SEPARATOR;
	return skip_space(scan) ? scan_value(scan) : UNTERMINATED_OBJECT;
}

static enum fault scan_object(struct scan *scan)
{
	char token = next_token(scan);

	while (token == '"') {
		enum fault fault = scan_member(scan);

		if (fault != NONE)
			return fault;
		if ((token = next_token(scan)) != ',')
			break;
		if ((token = next_token(scan)) == '}')
			return MISSING_OBJECT;
	}
	return token == '}' ? NONE : UNTERMINATED_OBJECT;
}

static enum fault scan_array(struct scan *scan)
{
	if (!skip_space(scan))
		return UNTERMINATED_ARRAY;
	if (skip_one(scan, "]"))
		return NONE;
	for (;;) {
		enum fault fault;
		char token;

		if (!skip_space(scan))
			return UNTERMINATED_ARRAY;
		if ((fault = scan_value(scan)) != NONE)
			return fault;
		if ((token = next_token(scan)) == ']')
			return NONE;
		if (token != ',')
			return scan->at < scan->end ? MISSING_VALUE_SEPARATOR : UNTERMINATED_ARRAY;
	}
}

static enum fault scan_nested(struct scan *scan, enum fault (*inside)(struct scan *scan))
{
	enum fault fault;

	if (++scan->depth > DEPTH_MAX)
		return DEEP_NESTING;
	fault = inside(scan);
	scan->depth--;
	return fault;
}

static enum fault scan_word(struct scan *scan)
{
	static const char *const words[] = { "null", "true", "false" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(scan->end - scan->at) >= len && memcmp(scan->at, words[i], len) == 0) {
			scan->at += len;
			return NONE;
		}
	}
	return ILLEGAL_VALUE;
}

static enum fault scan_value(struct scan *scan)
{
	switch (*scan->at) {
	case 'n':
	case 't':
	case 'f':
		return scan_word(scan);
	case '"':
		scan->at++;
		return scan_string(scan);
	case '[':
		scan->at++;
		return scan_nested(scan, scan_array);
	case '{':
		scan->at++;
		return scan_nested(scan, scan_object);
	case ',':
		return ILLEGAL_VALUE;
	case '}':
	case ']':
		return MISSING_OBJECT;
	default:
		return scan_number(scan);
	}
}

const char *parse_fault(const char *text, size_t len)
{
	struct scan scan = { .at = text, .end = text + len };
	enum fault fault;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		scan.at += 3;
	switch (next_token(&scan)) {
	case '[':
		fault = scan_nested(&scan, scan_array);
		break;
	case '{':
		fault = scan_nested(&scan, scan_object);
		break;
	default:
		fault = ILLEGAL_VALUE;
	}
	if (fault == NONE && skip_space(&scan))
		fault = GARBAGE_AT_END;
	return texts[fault];
}
