/*
 * Any frame to inspect. What it points to lies in the frame, and neighbour discovery is never seen
 * in a frame that is too short for it.
 */
#include "dataplane/switch/frame.h"
#include "dataplane/switch/inspect.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct inspected inspected;

	if (len < FRAME_LEN_MIN)
		return 0;
	inspect(data, len, &inspected);
	switch (inspected.kind) {
	case INSPECT_ARP:
		if (inspected.mac < data || inspected.mac + 6 > data + len)
			abort();
		break;
	case INSPECT_SOLICITATION:
	case INSPECT_ADVERTISEMENT:
		if (len < FRAME_LEN_MIN + 40 + 24)
			abort();
		break;
	default:
		break;
	}
	return 0;
}
