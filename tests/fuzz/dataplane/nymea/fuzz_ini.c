/* ini: any text as a configuration file. */
#include "dataplane/nymea/ini.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void set(void *context, const char *name, const char *value)
{
	*(size_t *)context += strlen(name) + strlen(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fault fault = { "", "" };
	size_t sum = 0;
	char *text = strndup((const char *)data, len);

	if (ini_read(text, set, &sum, &fault) != OK && *fault.detail == '\0')
		abort();
	free(text);
	return 0;
}
