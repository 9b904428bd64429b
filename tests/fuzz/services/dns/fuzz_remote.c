/* fuzz_remote: any line gets one line of JSON as answer. */
#include "services/dns/remote.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Everything exists or does not, and every seventh question fails, by the length of the name. */
static err_t find(void *context, const char *relative, struct zone_entry *entry)
{
	size_t len = strlen(relative);

	(void)context;
	entry->serial = (uint32_t)len;
	entry->is_name = len % 2 == 0;
	entry->is_above = len % 3 == 0;
	strcpy(entry->ipv4, len % 4 == 0 ? "10.77.0.1" : "");
	strcpy(entry->ipv6, len % 5 == 0 ? "fd77::1" : "");
	return len % 7 == 6 ? ERR_UNAVAILABLE : OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct remote_source source = { find, NULL };
	AUTO_ARENA arena = arena_create();
	struct zone zone;
	const char *answer;

	if (zone_init(&zone, "lanyard.test", "ns.dns.lanyard.test", "127.0.0.1", NULL) != OK)
		abort();
	answer = remote_answer(&zone, &source, (const char *)data, size, arena);
	if (answer[0] != '{' || strchr(answer, '\n') != NULL)
		abort();
	return 0;
}
