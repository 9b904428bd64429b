/* fuzz_csr: a certificate signing request from outside. */
#include "services/provision/pki.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct call call;
	const char *key;

	call_init(&call, NULL, "service:fuzz", 1000);
	(void)!pki_csr_read(&call, arena_strndup(call.arena, (const char *)data, len), &key);
	call_finish(&call);
	return 0;
}
