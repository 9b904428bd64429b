/* extra: the operator's own records are read as written, or the line that is wrong is named. */
#include "services/dns/extra.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct records_settings settings;
static struct arena *arena;
static struct fault fault;

static void setup(void)
{
	settings = (struct records_settings){ .server = "ns1.box.test", .names_zone = "box.test" };
	arena = arena_create();
}

static void teardown(void)
{
	arena_destroy(arena);
}

TestSuite(extra, .init = setup, .fini = teardown);

static err_t read_text(const char *text)
{
	char path[] = "/tmp/test_extra.XXXXXX";
	int fd = mkstemp(path);
	err_t err;

	settings.n_extra = 0;
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	err = extra_read(path, arena, &settings, &fault);
	unlink(path);
	return err;
}

Test(extra, records_of_each_type)
{
	static const struct records_extra want[] = {
		{ "box.test", "A", "192.0.2.7" },
		{ "box.test", "AAAA", "2001:db8::7" },
		{ "www.box.test", "CNAME", "box.test." },
		{ "box.test", "MX", "10 mail.example.org." },
		{ "mail.box.test", "MX", "0 mx.box.test." },
		{ "_psl.box.test", "TXT", "\"https://example.org/psl/1;x=\"" },
	};

	cr_assert_eq(read_text("# our own\n\n"
			       "@ A 192.0.2.7\n@ AAAA 2001:DB8::7\r\nwww CNAME @\n"
			       "box.test. MX 10 mail.example.org.\n\tmail MX 0  mx\n"
			       "_psl TXT https://example.org/psl/1;x="),
		OK, "%s", fault.detail);
	cr_assert_eq(settings.n_extra, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		cr_expect_str_eq(settings.extra[i].owner, want[i].owner);
		cr_expect_str_eq(settings.extra[i].type, want[i].type);
		cr_expect_str_eq(settings.extra[i].content, want[i].content);
	}
	cr_expect_str_eq(
		extra_reserved(&settings, "api", arena), "api www mail _psl", "nobody gets them");
}

Test(extra, a_long_text_is_of_several_strings)
{
	char text[600], line[700];

	memset(text, 'x', 599);
	text[599] = '\0';
	snprintf(line, sizeof(line), "dkim._domainkey TXT %s\n", text);
	cr_assert_eq(read_text(line), OK);
	cr_expect_eq(strlen(settings.extra[0].content), 599 + 3 * 2 + 2);
}

Test(extra, what_is_wrong_is_named)
{
	static const char *const rows[] = { "www", "www A", "www A 192.0.2", "www AAAA 192.0.2.1",
		"www SRV 1 1 1 x", "www a 192.0.2.1", "www MX mail", "www MX 65536 mail",
		"www MX -1 mail", "www TXT \"a\"", "www TXT a\\b", "www TXT \xc3\xa4",
		"www.example.org. A 192.0.2.1", "a..b A 192.0.2.1", "* A 192.0.2.1", "@ CNAME www",
		"api A 192.0.2.1", "ns1 TXT x", "www CNAME @\nwww A 192.0.2.1",
		"www A 192.0.2.1\nwww CNAME @", "www CNAME a b" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(read_text(rows[i]), ERR_INVALID_ARGUMENT, "%s", rows[i]);
		cr_expect_str_eq(fault.field, "LANYARD_DNS_RECORDS_FILE");
		cr_expect_not_null(
			strstr(fault.detail, strchr(rows[i], '\n') ? "line 2" : "line 1"), "%s",
			fault.detail);
	}
	cr_expect_eq(extra_read("/nonexistent", arena, &settings, &fault), ERR_INVALID_ARGUMENT);
}
