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
	we500_memory_keep(&asker, &status, 0, 5);
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

#define HOUR_MS	  ((int64_t)60 * 60 * 1000)
#define MINUTE_MS ((int64_t)60 * 1000)

/* An answer that stays good until something changes. */
static Provision__PortalStatus settled(const char *tenant)
{
	Provision__PortalStatus status = PROVISION__PORTAL_STATUS__INIT;

	status.status = 2;
	status.interval_s = 900;
	status.settled = true;
	status.tenant = (char *)(uintptr_t)tenant;
	status.device = "device";
	return status;
}

static bool is_fresh(struct arena *arena, const Provision__PortalRequest *asker, int64_t now_ms)
{
	Provision__PortalStatus found = PROVISION__PORTAL_STATUS__INIT;
	bool note;

	return we500_memory_fresh(arena, asker, now_ms, &found, &note);
}

Test(we500_memory, is_fresh_until_something_changes)
{
	static const struct {
		const char *tenant, *serial; /* of the change */
		bool fresh;		     /* is it after that */
	} rows[] = {
		{ "other", "", true },
		{ "tenant", "other", true },
		{ "tenant", "a", false },
		{ "other", "a", false }, /* the same serial number somewhere else */
		{ "tenant", "", false },
	};
	AUTO_ARENA arena = arena_create();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		Provision__PortalRequest asker = request_of("a", "secret");
		Provision__PortalStatus status = settled("tenant");

		we500_memory_keep(&asker, &status, we500_memory_changes(), 5);
		cr_assert(is_fresh(arena, &asker, 5 + HOUR_MS - 1));
		cr_assert_not(is_fresh(arena, &asker, 5 + HOUR_MS));
		we500_memory_changed(rows[i].tenant, rows[i].serial);
		cr_expect_eq(is_fresh(arena, &asker, 6), rows[i].fresh, "row %zu", i);
	}
}

Test(we500_memory, is_not_fresh_when_something_changed_meanwhile_or_for_others)
{
	Provision__PortalRequest asker = request_of("a", "secret"), moved;
	Provision__PortalStatus status = settled("tenant");
	AUTO_ARENA arena = arena_create();
	uint64_t before = we500_memory_changes();

	we500_memory_changed("any", "");
	we500_memory_keep(&asker, &status, before, 5);
	cr_expect_not(is_fresh(arena, &asker, 6));
	we500_memory_keep(&asker, &status, we500_memory_changes(), 5);
	cr_expect(is_fresh(arena, &asker, 6));
	moved = asker;
	moved.source = "192.0.2.7";
	cr_expect_not(is_fresh(arena, &moved, 6)); /* perhaps it is another device */
	status.settled = false;
	we500_memory_keep(&asker, &status, we500_memory_changes(), 5);
	cr_expect_not(is_fresh(arena, &asker, 6));
}

Test(we500_memory, a_device_is_noted_once_a_minute_and_told_another_interval)
{
	Provision__PortalRequest asker = request_of("a", "secret");
	Provision__PortalStatus status = settled("tenant"), found;
	AUTO_ARENA arena = arena_create();
	bool note;

	we500_memory_keep(&asker, &status, we500_memory_changes(), 5);
	provision__portal_status__init(&found);
	cr_assert(we500_memory_fresh(arena, &asker, 6, &found, &note));
	cr_expect_not(note);
	cr_expect(found.reconnection_time >= 405 && found.reconnection_time <= 1395);
	cr_expect_str_eq(found.device, "device");
	cr_assert(we500_memory_fresh(arena, &asker, 5 + MINUTE_MS, &found, &note));
	cr_expect(note);
	cr_assert(we500_memory_fresh(arena, &asker, 6 + MINUTE_MS, &found, &note));
	cr_expect_not(note);
}
