/* test_we500_memory: answers are remembered for who got them, for a day. */
#include "gateway/compat/we500_memory.h"

#include <criterion/criterion.h>

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

static Provision__PortalRequest request_of(const char *serial, const char *password)
{
	Provision__PortalRequest request = PROVISION__PORTAL_REQUEST__INIT;

	request.serial = (char *)(uintptr_t)serial;
	request.password = (char *)(uintptr_t)password;
	return request;
}

Test(we500_memory, keeps_for_who_asked_and_forgets)
{
	Provision__PortalRequest asker = request_of("a", "secret");
	Provision__PortalRequest guesser = request_of("a", "guess");
	Provision__PortalRequest shifted = request_of("as", "ecret");
	Provision__PortalStatus status = PROVISION__PORTAL_STATUS__INIT;
	Provision__PortalStatus found = PROVISION__PORTAL_STATUS__INIT;
	AUTO_ARENA arena = arena_create();

	status.status = 2;
	status.reconnection_time = 900;
	status.has_package = true;
	status.md5_ta_key = "d41d8cd98f00b204e9800998ecf8427e";
	cr_assert_not(we500_memory_find(arena, &asker, 5, &found));
	we500_memory_keep(&asker, &status, 5);
	cr_assert(we500_memory_find(arena, &asker, 5 + DAY_MS - 1, &found));
	cr_assert_eq(found.status, 2);
	cr_assert_eq(found.reconnection_time, 900);
	cr_assert_str_eq(found.md5_ta_key, status.md5_ta_key);
	cr_assert_not(we500_memory_find(arena, &guesser, 6, &found));
	cr_assert_not(we500_memory_find(arena, &shifted, 6, &found));
	cr_assert_not(we500_memory_find(arena, &asker, 5 + DAY_MS, &found));
	we500_memory_drop(&guesser);
	cr_assert(we500_memory_find(arena, &asker, 6, &found));
	we500_memory_drop(&asker);
	cr_assert_not(we500_memory_find(arena, &asker, 6, &found));
}
