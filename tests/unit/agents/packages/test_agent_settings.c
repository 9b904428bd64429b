/* settings: the agent.json of a package, as lanyard up reads it. */
#include "agents/packages/settings.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static err_t read_text(const char *text, struct settings *settings, struct fault *fault)
{
	char path[] = "/tmp/lanyard-settings-XXXXXX";
	int fd = mkstemp(path);
	err_t err;

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	err = settings_read(settings, path, fault);
	unlink(path);
	return err;
}

Test(settings, are_read)
{
	struct settings settings;
	struct fault fault = { 0 };

	cr_assert_eq(read_text("{\"network\": \"office\", \"proxy\": \"http://p:1\", \"later\": 1}",
			     &settings, &fault),
		OK, "%s", fault.detail);
	cr_expect_str_eq(settings.network, "office");
	cr_expect_str_eq(settings.proxy, "http://p:1");
	cr_expect_str_eq(settings.interface, "");
	cr_expect_eq(read_text("{}", &settings, &fault), OK);
	cr_expect_str_eq(settings.network, "");
}

Test(settings, are_refused)
{
	static const char *const rows[] = { "", "[]", "{", "{\"network\": 7}",
		"{\"interface\": \"much-too-long-for-one\"}", "{\"proxy\": null}" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settings settings;
		struct fault fault = { 0 };

		cr_expect_eq(
			read_text(rows[i], &settings, &fault), ERR_INVALID_ARGUMENT, "row %zu", i);
		cr_expect(strstr(fault.detail, "expected") != NULL, "row %zu: %s", i, fault.detail);
	}
}
