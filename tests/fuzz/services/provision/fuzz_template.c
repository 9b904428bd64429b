/* fuzz_template: a client.conf from outside; what passes may be expanded, and still passes then. */
#include "services/provision/template.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char names[] = "ca.crt client.conf ta.key credentials";
	static const struct template_values values = { "SN.1_a-b", "device", "name", "tenant", "" };
	struct call call;
	const char *text;

	call_init(&call, NULL, "service:fuzz", 1000);
	text = arena_strndup(call.arena, (const char *)data, len);
	if (template_check(&call, text, names) == OK && len * 8 < TEMPLATE_MAX &&
		template_check(&call, template_expand(&call, text, &values), names) != OK)
		abort();
	call_finish(&call);
	return 0;
}
