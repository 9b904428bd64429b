/* portal: what replies of the portal are taken for. */
#include "agents/portal.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

Test(portal, one_that_is_busy_is_asked_again)
{
	static const struct {
		err_t err;
		unsigned status;
		bool busy;
	} rows[] = { { OK, 503, true }, { OK, 429, true }, { ERR_UNAVAILABLE, 0, true },
		{ OK, 409, false }, { OK, 404, false }, { OK, 401, false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fetch_reply reply = { .err = rows[i].err, .status = rows[i].status };

		cr_expect(eq(int, portal_is_busy(&reply), rows[i].busy), "%u", rows[i].status);
	}
}

Test(portal, a_body_has_to_be_an_object)
{
	struct fetch_reply reply = { .status = 200 };
	struct fault fault = { 0 };
	json_t *body = NULL;

	reply.body = "[]";
	reply.len = strlen(reply.body);
	cr_assert(eq(int, portal_read(&reply, &body, &fault), ERR_INVALID_ARGUMENT));
	cr_expect(eq(str, fault.field, "body"));
	reply.body = "{}";
	cr_assert(eq(int, portal_read(&reply, &body, &fault), OK));
	json_decref(body);
}
