/* schedule: see schedule.h. */
#include "agents/expose/schedule.h"

/* Authorities bear few failures: Let's Encrypt five an hour for one name. */
#define RETRY_FIRST_MS (20 * INT64_C(1000))
#define RETRY_LIMIT_MS (3 * 3600 * INT64_C(1000))
#define SPREAD	       24 /* part of the life over which renewals are spread */

int64_t schedule_renewal_s(int64_t from_s, int64_t until_s, uint32_t random)
{
	int64_t life_s = until_s > from_s ? until_s - from_s : 0;

	return from_s + life_s / 3 * 2 + random % (life_s / SPREAD + 1);
}

int64_t schedule_retry_ms(unsigned failures, uint32_t random)
{
	int64_t whole = RETRY_LIMIT_MS;

	if (failures >= 1 && failures < 16 && RETRY_FIRST_MS << (failures - 1) < RETRY_LIMIT_MS)
		whole = RETRY_FIRST_MS << (failures - 1);
	return whole / 2 + random % (whole / 2 + 1);
}
