/* What another node sends on a trunk, in pieces, and the control messages in it. */
#include "dataplane/trunk/inbox.h"
#include "lib/frames/block.h"
#include "proto/trunk.pb-c.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_control(void *context, const uint8_t *bytes, size_t len)
{
	Trunk__Control *control = trunk__control__unpack(NULL, len, bytes);

	(void)context;
	if (control)
		trunk__control__free_unpacked(control, NULL);
}

static void on_frame(void *context, enum trunk_message what, const uint32_t *ports, size_t n,
	struct packet *frame)
{
	(void)context;
	if (n == 0 || n > OUTBOX_PORTS_MAX || (what == TRUNK_UP && n != 1) ||
		frame->len < L2_FRAME_MIN || frame->len > L2_FRAME_MAX)
		abort();
	for (size_t i = 0; i < n; i++)
		(void)*(volatile const uint32_t *)&ports[i];
	(void)*(volatile uint8_t *)&frame->data[frame->len - 1];
}

/* The first byte of each piece tells its length, 0 for all that is left, and how it stands. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inbox inbox = { .control = on_control, .frame = on_frame };
	bool first = true, good = true;

	while (good && size > 1) {
		size_t len = data[0] & 0x3f;
		bool final = (data[0] & 0x40) != 0;

		len = len == 0 || len > size - 1 ? size - 1 : len;
		good = inbox_take(&inbox, &(struct inbox_piece){ data + 1, len, first, final });
		first = final;
		data += 1 + len;
		size -= 1 + len;
	}
	inbox_finish(&inbox);
	return 0;
}
