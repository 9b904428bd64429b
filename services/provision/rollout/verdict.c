/* verdict: see verdict.h. */
#include "services/provision/rollout/verdict.h"

#include <stdbool.h>

static bool too_many_failed(const struct rollout_count *count)
{
	if (count->fail_count > 0 && count->n_failed >= count->fail_count)
		return true;
	return (long long)count->n_failed * 100 > (long long)count->fail_percent * count->size;
}

enum rollout_verdict rollout_judge(const struct rollout_count *count)
{
	bool nothing_open = count->waiting == 0 && count->awaited == 0;

	if (too_many_failed(count))
		return ROLLOUT_STOP;
	if (!nothing_open)
		return ROLLOUT_GO_ON;
	if (count->wave == ROLLOUT_WAVES)
		return ROLLOUT_DONE;
	return count->n_done > 0 || count->size == 0 ? ROLLOUT_NEXT : ROLLOUT_GO_ON;
}

int rollout_room(const struct rollout_count *count)
{
	int room = count->max_open - count->fetching;

	if (room <= 0)
		return 0;
	return room < count->waiting ? room : count->waiting;
}
