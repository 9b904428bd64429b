/* portal_state: see portal_state.h. */
#include "services/provision/portal_state.h"

#define UPDATE_S     10
#define UPDATE_MAX_S 900

int portal_state_status(const struct portal_state *state)
{
	if (!state->approved || state->current == 0)
		return state->disable_code;
	return state->acknowledged == state->current ? PORTAL_ENABLED : PORTAL_UPDATE;
}

/* FNV-1a: the same slot in every instance, for ever. */
static uint32_t hash(const char *text)
{
	uint32_t sum = 2166136261U;

	for (; *text != '\0'; text++)
		sum = (sum ^ (unsigned char)*text) * 16777619U;
	return sum;
}

static int clamp(int64_t interval_s)
{
	if (interval_s < PORTAL_INTERVAL_MIN)
		return PORTAL_INTERVAL_MIN;
	return interval_s < PORTAL_INTERVAL_MAX ? (int)interval_s : PORTAL_INTERVAL_MAX;
}

static int64_t back_off(int unanswered)
{
	int64_t wait_s = UPDATE_S;

	for (int i = 0; i < unanswered && wait_s < UPDATE_MAX_S; i++)
		wait_s *= 2;
	return wait_s < UPDATE_MAX_S ? wait_s : UPDATE_MAX_S;
}

int portal_state_interval(
	const struct portal_state *state, const char *serial, int64_t now_s, uint32_t random)
{
	int64_t interval_s = state->interval_s, wait_s, spread_s = interval_s / 20;

	if (portal_state_status(state) == PORTAL_UPDATE)
		return clamp(back_off(state->unanswered));
	wait_s = ((int64_t)(hash(serial) % (uint32_t)interval_s) - now_s) % interval_s;
	if (wait_s < 0)
		wait_s += interval_s;
	if (wait_s < interval_s / 2)
		wait_s += interval_s;
	return clamp(wait_s + (int64_t)(random % (uint32_t)(2 * spread_s + 1)) - spread_s);
}
