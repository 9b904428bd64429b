/* slot: see slot.h. */
#include "lib/slot.h"

/* FNV-1a: the same slot in every process, for ever. */
static uint32_t hash(const char *text)
{
	uint32_t sum = 2166136261U;

	for (; *text != '\0'; text++)
		sum = (sum ^ (unsigned char)*text) * 16777619U;
	return sum;
}

int slot_clamp(int64_t wait_s)
{
	if (wait_s < SLOT_INTERVAL_MIN)
		return SLOT_INTERVAL_MIN;
	return wait_s < SLOT_INTERVAL_MAX ? (int)wait_s : SLOT_INTERVAL_MAX;
}

int slot_wait_s(const char *name, int interval_s, int64_t now_s, uint32_t random)
{
	int64_t wait_s, spread_s = interval_s / 20;

	wait_s = ((int64_t)(hash(name) % (uint32_t)interval_s) - now_s) % interval_s;
	if (wait_s < 0)
		wait_s += interval_s;
	if (wait_s < interval_s / 2)
		wait_s += interval_s;
	return slot_clamp(wait_s + (int64_t)(random % (uint32_t)(2 * spread_s + 1)) - spread_s);
}
