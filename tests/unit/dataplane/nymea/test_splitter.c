/* splitter: where documents end in a stream, as nymea-remoteproxy 1.x has it. */
#include "dataplane/nymea/splitter.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

/* Adds the text and writes what comes out, each document in <>. */
static void add(struct splitter *splitter, const char *data, char *out, size_t size)
{
	const char *text;
	size_t len, n = 0;

	splitter_add(splitter, data, strlen(data));
	*out = '\0';
	while (splitter_next(splitter, &text, &len))
		n += (size_t)snprintf(out + n, size - n, "<%.*s>", (int)len, text);
}

Test(splitter, whole_documents)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "{a}", "<{a}>" },
		{ "{a}\n", "<{a}\n>" },
		{ "\n{a}\n", "<\n{a}\n>" },
		{ "{a}\n{b}\n", "<{a}><{b}\n>" },
		{ "{a}\n{b}\n{c", "<{a}><{b}>" },
		{ "{a}{b}", "<{a}{b}>" },
		{ "{a}\r\n", "" },
		{ "{a}\r\n{b}", "<{a}\r\n{b}>" },
		{ "text", "" },
		{ "{\"params\":{}", "<{\"params\":{}>" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct splitter splitter = { 0 };
		char out[200];

		add(&splitter, rows[i].in, out, sizeof(out));
		cr_expect_str_eq(out, rows[i].want, "%s", rows[i].in);
		splitter_finish(&splitter);
	}
}

Test(splitter, documents_in_any_pieces)
{
	static const char text[] = "{a1}\n{b2}\n{c3";
	struct splitter splitter = { 0 };
	char out[64], all[200] = "";

	for (size_t i = 0; text[i] != '\0'; i++) {
		add(&splitter, (char[]){ text[i], '\0' }, out, sizeof(out));
		strcat(all, out);
	}
	cr_expect_str_eq(all, "<{a1}><\n{b2}>");
	splitter_finish(&splitter);
}

Test(splitter, too_much_without_an_end)
{
	struct splitter splitter = { 0 };
	AUTO_FREE char *text = xcalloc(1, SPLITTER_MAX + 2);
	const char *document;
	size_t len;

	memset(text, 'x', SPLITTER_MAX);
	splitter_add(&splitter, text, SPLITTER_MAX);
	cr_expect_not(splitter_next(&splitter, &document, &len));
	cr_expect_not(splitter_overflows(&splitter));
	splitter_add(&splitter, "x", 1);
	cr_expect_not(splitter_next(&splitter, &document, &len));
	cr_expect(splitter_overflows(&splitter));
	splitter_rest(&splitter, &document, &len);
	cr_expect_eq(len, SPLITTER_MAX + 1);
	cr_expect_not(splitter_overflows(&splitter));
	splitter_finish(&splitter);
}

Test(splitter, holds_nothing_when_nothing_waits)
{
	struct splitter splitter = { 0 };
	char out[64];

	add(&splitter, "{a}\n", out, sizeof(out));
	cr_expect_null(splitter.text);
	cr_expect_eq(splitter.capacity, 0);
}
