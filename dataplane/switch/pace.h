/*
 * pace: how soon frames to many may leave. One broadcast to a thousand ports is a thousand system
 * calls; when there is much of it, what has to leave waits for what follows, so that all of it
 * costs a part of the processor at most and no port waits long. The loop's thread.
 */
#pragma once

#include <stdint.h>

struct pace {
	uint64_t until_us; /* when the processor will have had its rest */
};

/* In how many milliseconds the next port may be written to; 0: now. */
unsigned pace_delay_ms(struct pace *pace, uint64_t now_us);
