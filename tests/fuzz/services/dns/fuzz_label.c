/* fuzz_label: whatever passes as a name, a mail address or a list of addresses is fit for a record,
 * a header and SQL. */
#include "services/dns/label.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct call call;
	char label[LABEL_LEN];
	const char *list;
	char *text;

	call_init(&call, NULL, "fuzz", 1000);
	text = arena_strndup(call.arena, (const char *)data, size);
	if (label_check(&call, text, "box.test", "api www", label) == OK)
		for (const char *c = label; *c != '\0'; c++)
			if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '-')
				abort();
	if (label_check_email(&call, text) == OK && strpbrk(text, "\r\n<>, \"") != NULL)
		abort();
	if (label_check_addresses(&call, text, true, &list) == OK && list[0] != '{')
		abort();
	call_finish(&call);
	return 0;
}
