/* credentials: which Authorization headers are understood, and as what. */
#include "gateway/credentials.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static const struct {
	const char *header;
	enum credentials_kind kind;
	const char *device, *secret;
} accepted[] = {
	{ NULL, CREDENTIALS_NONE, NULL, NULL },
	{ "Bearer abc.def.ghi", CREDENTIALS_TOKEN, NULL, "abc.def.ghi" },
	{ "bEaReR   abc", CREDENTIALS_TOKEN, NULL, "abc" },
	{ "Bearer lyk_AAAA-_", CREDENTIALS_API_KEY, NULL, "lyk_AAAA-_" },
	{ "Basic ZGV2OnNlY3JldA==", CREDENTIALS_DEVICE, "dev", "secret" },
	{ "Basic ZGV2OmE6Yg==", CREDENTIALS_DEVICE, "dev", "a:b" },
	{ "basic Og==", CREDENTIALS_DEVICE, "", "" },
};

static const char *const refused[] = {
	"",
	"Bearer",
	"Bearer ",
	"Bearer a b",
	"Bearer a,b",
	"Bearer \"a\"",
	"Bearer a\xff",
	"Bearer =a",
	"Bearerabc",
	"Basic",
	"Basic ZGV2",		/* no colon */
	"Basic ZGV2OnNlY3JldA", /* no padding */
	"Basic ZGV2OnNl!3JldA==",
	"Basic ZGUAdjpz", /* NUL inside */
	"Digest username=\"a\"",
	"lyk_AAAA",
};

Test(credentials, accepted)
{
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		struct credentials found;
		struct call call;

		call_init(&call, NULL, "", 1000);
		cr_expect(eq(int, credentials_parse(&call, accepted[i].header, &found), OK),
			"row %zu", i);
		cr_expect(eq(int, (int)found.kind, (int)accepted[i].kind), "row %zu", i);
		if (accepted[i].secret != NULL)
			cr_expect(eq(str, (char *)found.secret, (char *)accepted[i].secret));
		if (accepted[i].device != NULL)
			cr_expect(eq(str, (char *)found.device, (char *)accepted[i].device));
		call_finish(&call);
	}
}

Test(credentials, refused)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct credentials found;
		struct call call;

		call_init(&call, NULL, "", 1000);
		cr_expect(
			eq(int, credentials_parse(&call, refused[i], &found), ERR_UNAUTHENTICATED),
			"row %zu: %s", i, refused[i]);
		call_finish(&call);
	}
}
