/* Answers of DNS. */
#include "services/auth/outside/txt.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len <= 8192)
		txt_in_answer(data, len, "tenant=018f0000-0000-7000-8000-00000000000a");
	return 0;
}
