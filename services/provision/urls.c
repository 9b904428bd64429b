/* urls: splits and checks LANYARD_DATAPLANE_URLS, when the process starts. */
#include "services/provision/urls.h"

#include "lib/mem.h"

#include <stdbool.h>
#include <string.h>

static bool is_url(const char *text, size_t len)
{
	static const char scheme[] = "wss://";

	if (len <= strlen(scheme) || len > 255 || strncmp(text, scheme, strlen(scheme)) != 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

void urls_finish(struct urls *urls)
{
	while (urls->n > 0)
		free(urls->list[--urls->n]);
}

err_t urls_init(struct urls *urls, const char *text, struct fault *fault)
{
	*urls = (struct urls){ 0 };
	for (;;) {
		size_t len = strcspn(text, ",");

		if (urls->n == URLS_MAX || !is_url(text, len)) {
			urls_finish(urls);
			return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_DATAPLANE_URLS",
				"expected 1 to %d comma-separated URLs that begin with wss://",
				URLS_MAX);
		}
		urls->list[urls->n++] = xasprintf("%.*s", (int)len, text);
		if (text[len] == '\0')
			return OK;
		text += len + 1;
	}
}
