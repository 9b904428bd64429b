/* pace: see pace.h. */
#include "dataplane/switch/pace.h"

#define WRITE_US 32    /* a write takes about 8: a quarter of the processor */
#define BURST_US 32000 /* so a thousand writes may come at once */

unsigned pace_delay_ms(struct pace *pace, uint64_t now_us)
{
	uint64_t from = pace->until_us > now_us ? pace->until_us : now_us;
	uint64_t wait_us = from - now_us;

	pace->until_us = from + WRITE_US;
	return wait_us > BURST_US ? (unsigned)((wait_us - BURST_US + 999) / 1000) : 0;
}
