/*
 * uuid: the form of RFC 9562, and that two are never the same.
 */
#include "lib/call.h"
#include "lib/check.h"
#include "lib/uuid.h"

#include <criterion/criterion.h>
#include <string.h>

Test(uuid, is_random_and_of_version_4)
{
	char a[UUID_SIZE], b[UUID_SIZE];
	struct call call;

	call_init(&call, NULL, "service:test", 1000);
	uuid_new(a);
	uuid_new(b);
	cr_assert_eq(check_uuid(&call, "id", a), OK, "%s", a);
	cr_assert_eq(a[14], '4');
	cr_assert(strchr("89ab", a[19]));
	cr_assert_str_neq(a, b);
	call_finish(&call);
}
