/* test_we500_body: what a device may say when it has put a package to use. */
#include "gateway/compat/we500_body.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <string.h>

static const struct {
	const char *body;
	enum we500_body want;
} bodies[] = {
	{ "", WE500_BODY_ENABLE },
	{ " \r\n\t", WE500_BODY_ENABLE },
	{ "<status>2</status>", WE500_BODY_ENABLE },
	{ "\n<ntx><vpn><status>eNaBlE</status></vpn></ntx>\n", WE500_BODY_ENABLE },
	{ "<a><b><c/></b><status>2</status><d/></a>", WE500_BODY_ENABLE },
	{ "<a><status>&#50;</status></a>", WE500_BODY_ENABLE },
	{ "status=2", WE500_BODY_ENABLE },
	{ "status=Enable", WE500_BODY_ENABLE },
	{ "<status>3</status>", WE500_BODY_OTHER },
	{ "<status> 2</status>", WE500_BODY_OTHER },
	{ "<status/>", WE500_BODY_OTHER },
	{ "status=", WE500_BODY_OTHER },
	{ "status=22", WE500_BODY_OTHER },
	{ "status=enabled!", WE500_BODY_MALFORMED },
	{ "STATUS=2", WE500_BODY_MALFORMED },
	{ "2", WE500_BODY_MALFORMED },
	{ "<ntx/>", WE500_BODY_MALFORMED },
	{ "<status>2</status><status>2</status>", WE500_BODY_MALFORMED },
	{ "<a><status>2</status><status>3</status></a>", WE500_BODY_MALFORMED },
	{ "<status><status>2</status></status>", WE500_BODY_MALFORMED },
	{ "<!DOCTYPE a><status>2</status>", WE500_BODY_MALFORMED },
	{ "<status><![CDATA[2]]></status>", WE500_BODY_MALFORMED },
	{ "<status>&nbsp;</status>", WE500_BODY_MALFORMED },
	{ "<status>2</statu>", WE500_BODY_MALFORMED },
};

Test(we500_body, read)
{
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		cr_assert_eq(we500_body_read(bodies[i].body, strlen(bodies[i].body)),
			bodies[i].want, "row %zu: %s", i, bodies[i].body);
}
