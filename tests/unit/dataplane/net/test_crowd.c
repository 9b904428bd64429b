/* crowd: each address has room of its own, and an empty crowd owns nothing. */
#include "dataplane/net/crowd.h"

#include <criterion/criterion.h>

#include <stddef.h>

Test(crowd, counts_each_address_by_itself)
{
	struct crowd crowd = { 0 };

	cr_expect(crowd_has_room(&crowd, "192.0.2.1", 2));
	crowd_enter(&crowd, "192.0.2.1");
	cr_expect(crowd_has_room(&crowd, "192.0.2.1", 2));
	crowd_enter(&crowd, "192.0.2.1");
	crowd_enter(&crowd, "2001:db8::1");
	cr_expect_not(crowd_has_room(&crowd, "192.0.2.1", 2));
	cr_expect(crowd_has_room(&crowd, "2001:db8::1", 2));
	crowd_leave(&crowd, "192.0.2.1");
	cr_expect(crowd_has_room(&crowd, "192.0.2.1", 2));
	crowd_leave(&crowd, "192.0.2.1");
	crowd_leave(&crowd, "2001:db8::1");
	cr_expect_null(crowd.by_address);
}

Test(crowd, has_no_limit_for_unix_sockets)
{
	struct crowd crowd = { 0 };

	crowd_enter(&crowd, "unix");
	crowd_enter(&crowd, "unix");
	cr_expect(crowd_has_room(&crowd, "unix", 1));
	crowd_leave(&crowd, "unix");
	crowd_leave(&crowd, "unix");
	cr_expect_null(crowd.by_address);
}
