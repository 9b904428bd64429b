/* page_text: what people get to see, and that nothing they or others write becomes HTML. */
#include "agents/expose/page_text.h"

#include "lib/mem.h"

#include <criterion/criterion.h>
#include <string.h>

#define HOSTILE "\"><script>alert('x')</script>&"

static bool has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

Test(page_text, texts_of_others_are_escaped)
{
	const struct page_view view = { HOSTILE, true, HOSTILE, HOSTILE, HOSTILE, false, true,
		HOSTILE };
	char *pages[] = { page_text_wait(&view), page_text_form(&view, HOSTILE, HOSTILE),
		page_text_progress(&view) };

	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		cr_expect_not(has(pages[i], "<script"), "page %zu", i);
		cr_expect(has(pages[i], "&#60;script&#62;alert(&#39;x&#39;)"), "page %zu", i);
		free(pages[i]);
	}
}

Test(page_text, the_form_asks_for_one_name_below_the_zone)
{
	const struct page_view view = { "02.box.test", true, "box.test", "", "", false, false, "" };
	AUTO_FREE char *plain = page_text_form(&view, "", "");
	AUTO_FREE char *again = page_text_form(&view, "home", "This name is taken.");

	cr_expect(has(plain, "action=/name") && has(plain, ".box.test"));
	cr_expect_not(has(plain, "role=alert"));
	cr_expect(has(again, "role=alert") && has(again, "This name is taken."));
	cr_expect(has(again, "value=\"home\""));
}

Test(page_text, progress_goes_on_by_itself_and_ends_at_the_name)
{
	struct page_view view = { "02.box.test", true, "box.test", "home", "", false, false, "" };
	AUTO_FREE char *early = page_text_progress(&view);
	AUTO_FREE char *ready = NULL;

	cr_expect(has(early, "http-equiv=refresh content=1") && has(early, "<b>home</b>"));
	view.name = "home.box.test";
	view.ready = true;
	ready = page_text_progress(&view);
	cr_expect(has(ready, "content=\"1; url=https://home.box.test/\""));
	cr_expect(has(ready, "<a href=\"https://home.box.test/\">"));
}
