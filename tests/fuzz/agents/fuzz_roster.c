/* roster: whatever the portal may answer; what becomes of it has one line for each setting. */
#include "agents/wireguard/roster.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static size_t lines_of(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct wg_key key = { .secret = "SECRET" };
	struct fetch_reply reply = { .status = 200, .body = (const char *)data, .len = len };
	struct roster roster = { .n = 0 }, next;
	struct roster_start start = { .port = 1 };
	struct fault fault;
	char *text;
	bool same;

	if (roster_begun(&reply, &start, &fault) == OK && (start.port == 0 || start.port > 65535))
		abort();
	if (roster_synced(&reply, &roster, &next, &same, &fault) != OK)
		return 0;
	text = roster_config(&next, &start, &key);
	if (lines_of(text) != 4 + 4 * next.n)
		abort();
	free(text);
	roster_finish(&next);
	return 0;
}
