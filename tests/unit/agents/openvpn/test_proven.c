/* proven: a session's token is good with the certificate that has shown a code, and no other. */
#include "agents/openvpn/proven.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>

static struct management_event event_of(const char *session, const char *serial, bool authenticated)
{
	struct management_event event = { .authenticated = authenticated };

	snprintf(event.session, sizeof(event.session), "%s", session);
	snprintf(event.serial, sizeof(event.serial), "%s", serial);
	return event;
}

static bool has(
	const struct proven *proven, const char *session, const char *serial, bool authenticated)
{
	struct management_event event = event_of(session, serial, authenticated);

	return proven_has(proven, &event);
}

Test(proven, session_and_certificate_belong_together)
{
	struct proven *proven = proven_create();
	struct management_event event = event_of("one", "0a", false);

	cr_assert(not(has(proven, "", "", true)));
	proven_add(proven, &event);
	cr_assert(has(proven, "one", "0a", true));
	cr_assert(not(has(proven, "one", "0a", false)), "the token is not good");
	cr_assert(not(has(proven, "one", "0b", true)), "another certificate");
	cr_assert(not(has(proven, "two", "0a", true)));
	proven_destroy(proven);
}

Test(proven, the_oldest_is_forgotten_first)
{
	struct proven *proven = proven_create();
	char session[16];

	for (int i = 0; i <= PROVEN_COUNT; i++) {
		struct management_event event;

		snprintf(session, sizeof(session), "s%d", i);
		event = event_of(session, "0a", false);
		proven_add(proven, &event);
	}
	cr_assert(not(has(proven, "s0", "0a", true)));
	cr_assert(has(proven, "s1", "0a", true) && has(proven, session, "0a", true));
	proven_destroy(proven);
}
