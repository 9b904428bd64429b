/* fuzz_we500_body: whatever a device sends as its acknowledgement. */
#include "gateway/compat/we500_body.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	we500_body_read((const char *)data, len);
	return 0;
}
