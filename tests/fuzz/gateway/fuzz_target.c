/* target: any request target, and the search for its route. */
#include "gateway/api.h"

#include "lib/utf8.h"

#include <string.h>

static void check_text(const char *text)
{
	if (!utf8_valid((const uint8_t *)text, strlen(text)))
		BUG("a target was taken that is no UTF-8");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct route_match match;
	struct target target;
	struct call call;
	char *text;

	call_init(&call, NULL, "", 1000);
	text = arena_strndup(call.arena, (const char *)data, len);
	if (target_parse(&call, text, &target) == OK) {
		for (size_t i = 0; i < target.n_segments; i++)
			check_text(target.segments[i]);
		for (size_t i = 0; i < target.query.n; i++)
			check_text(target.query.parameters[i].value);
		if (router_match(api_tables, "GET", &target, &match) == OK && match.route == NULL)
			BUG("a match without a route");
	}
	call_finish(&call);
	return 0;
}
