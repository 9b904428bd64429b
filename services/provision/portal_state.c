/* portal_state: see portal_state.h. */
#include "services/provision/portal_state.h"

#include "lib/slot.h"

#define UPDATE_S     10
#define UPDATE_MAX_S 900

int portal_state_status(const struct portal_state *state)
{
	if (!state->approved || state->current == 0)
		return state->disable_code;
	return state->acknowledged == state->current ? PORTAL_ENABLED : PORTAL_UPDATE;
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
	if (portal_state_status(state) == PORTAL_UPDATE)
		return slot_clamp(back_off(state->unanswered));
	return slot_wait_s(serial, state->interval_s, now_s, random);
}
