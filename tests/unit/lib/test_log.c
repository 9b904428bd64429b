/* That a log line is one line whatever is in it, and that levels hold. */
#include "lib/log.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include <errno.h>
#include <string.h>

static void read_stderr(char *text, size_t size)
{
	FILE *in = cr_get_redirected_stderr();
	size_t len;

	len = fread(text, 1, size - 1, in);
	text[len] = '\0';
}

Test(log, a_line_has_time_level_service_event_and_pairs, .init = cr_redirect_stderr)
{
	char text[512];

	log_open("auth", LOG_LEVEL_INFO);
	log_info("started", "port=%d", 80);
	read_stderr(text, sizeof(text));
	cr_assert(strstr(text, "Z info auth started port=80\n") != NULL, "%s", text);
	cr_assert_eq(text[10], 'T');
}

Test(log, outside_text_cannot_forge_a_line, .init = cr_redirect_stderr)
{
	char text[512];

	log_warn("refused", "name=%s", log_value("x\n2026 error auth \"quoted\""));
	log_warn("raw", "name=%s", "a\nb");
	read_stderr(text, sizeof(text));
	cr_assert(strstr(text, "name=\"x?2026 error auth \\\"quoted\\\"\"\n") != NULL, "%s", text);
	cr_assert(strstr(text, "name=a?b\n") != NULL, "%s", text);
}

Test(log, what_is_below_the_level_is_not_written_and_errno_stays, .init = cr_redirect_stderr)
{
	char text[512];

	log_open("auth", LOG_LEVEL_WARN);
	errno = ENOENT;
	log_info("hidden", "x=%d", 1);
	log_error("shown", "error=%m");
	cr_expect_eq(errno, ENOENT);
	read_stderr(text, sizeof(text));
	cr_expect(strstr(text, "hidden") == NULL);
	cr_expect(strstr(text, "error=No such file or directory\n") != NULL, "%s", text);
}

Test(log, an_over_long_line_is_cut_and_still_ends, .init = cr_redirect_stderr)
{
	char text[4096], value[3000];

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	log_warn("long", "value=%s", value);
	log_warn("next", "value=%s", log_value(value));
	read_stderr(text, sizeof(text));
	cr_assert(strchr(text, '\n') - text <= 1024);
	cr_assert(strstr(text, "xxx...\"\n") != NULL);
}

Test(log, a_throttled_cause_is_admitted_once_a_second)
{
	long long last_s = 0;
	int admitted = 0;

	for (int i = 0; i < 1000; i++)
		admitted += log_admit(&last_s);
	cr_assert(admitted >= 1 && admitted <= 3, "%d", admitted);
}
