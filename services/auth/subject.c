/* subject: see subject.h. */
#include "services/auth/subject.h"

#include "lib/check.h"
#include "lib/mem.h"

#include <string.h>

static const struct {
	const char *prefix;
	enum subject_kind kind;
} kinds[] = {
	{ "user:", SUBJECT_USER },
	{ "api_key:", SUBJECT_API_KEY },
	{ "device:", SUBJECT_DEVICE },
};

err_t subject_read(struct call *call, const char *text, struct subject *subject)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t len = strlen(kinds[i].prefix);

		if (strncmp(text, kinds[i].prefix, len) != 0)
			continue;
		*subject = (struct subject){ kinds[i].kind, text + len };
		return check_uuid(call, "subject", subject->id);
	}
	return call_refuse(
		call, ERR_INVALID_ARGUMENT, "subject", "expected user:ID, api_key:ID or device:ID");
}
