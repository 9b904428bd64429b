/*
 * Any frame from an old client: no byte beyond it is read, and a reply is a whole packet to its
 * sender.
 */
#include "dataplane/switch/truncated.h"
#include "lib/ethernet.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO_FREE uint8_t *frame = xmalloc(len + (len == 0)); /* exactly as long */
	uint8_t reply[TRUNCATED_REPLY_MAX];
	size_t reply_len = 0;
	struct ethernet at;

	memcpy(frame, data, len);
	if (truncated_check(frame, len, reply, &reply_len) != TRUNCATED_REPLY)
		return 0;
	ethernet_parse(reply, reply_len, &at);
	if (reply_len > sizeof(reply) || at.version == 0 || at.end != reply_len ||
		memcmp(reply, frame + 6, 6) != 0)
		abort();
	return 0;
}
