/* scopes: see scopes.h. Scopes without words of their own are told by name. */
#include "gateway/pages/scopes.h"

#include <string.h>

static const char *words(const char *scope)
{
	return strcmp(scope, "config") == 0 ? "get VPN configurations for you" : scope;
}

void scopes_list(struct page *page, size_t n, char *const scopes[])
{
	page_markup(page, "<ul>\n");
	for (size_t i = 0; i < n; i++)
		page_say(page, "<li>", words(scopes[i]), "</li>\n");
	page_markup(page, "</ul>\n");
}
