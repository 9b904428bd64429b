/* registry: any bytes as the portal's answers about a name. */
#include "agents/expose/registry.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fetch_reply reply = { .status = 200, .body = (const char *)data, .len = len };
	struct registration registration;
	struct name_info info;
	struct fault fault;

	if (registry_registered(&reply, &registration, &fault) == OK &&
		(strlen(registration.token) < 16 || strchr(registration.name, '/') != NULL))
		abort();
	if (registry_info(&reply, &info, &fault) == OK && info.n_urls > REGISTRY_URLS_MAX)
		abort();
	return 0;
}
