/* portal_state: see portal_state.h. */
#include "services/provision/portal_state.h"

#include "lib/slot.h"

static bool is_disabled(const struct portal_state *state)
{
	return !state->approved || state->current == 0;
}

int portal_state_status(const struct portal_state *state)
{
	if (is_disabled(state))
		return state->disable_code;
	return state->acknowledged == state->current ? PORTAL_ENABLED : PORTAL_UPDATE;
}

int portal_state_usual_interval(const struct portal_state *state)
{
	return is_disabled(state) ? state->disabled_interval_s : state->interval_s;
}

static int64_t back_off(int64_t wait_s, int unanswered)
{
	for (int i = 0; i < unanswered && wait_s < PORTAL_UPDATE_MAX; i++)
		wait_s *= 2;
	return wait_s < PORTAL_UPDATE_MAX ? wait_s : PORTAL_UPDATE_MAX;
}

int portal_state_interval(
	const struct portal_state *state, const char *serial, int64_t now_s, uint32_t random)
{
	if (portal_state_status(state) == PORTAL_UPDATE)
		return slot_clamp(back_off(state->update_interval_s, state->unanswered));
	return slot_wait_s(serial, portal_state_usual_interval(state), now_s, random);
}
