/*
 * hello: any bytes. What the whole says, no beginning contradicts: it wants more, or says the same,
 * where too long and garbage are one.
 */
#include "dataplane/tunnel/hello.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool is_refusal(enum hello_result result)
{
	return result == HELLO_GARBAGE || result == HELLO_TOO_LONG;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char whole[HELLO_NAME_MAX], part[HELLO_NAME_MAX];
	enum hello_result result = hello_read(data, len, whole);
	char again[HELLO_NAME_MAX];

	if ((result == HELLO_NAME) != (whole[0] != '\0' && result != HELLO_GARBAGE))
		abort();
	if (result == HELLO_NAME &&
		(!hello_host(whole, strlen(whole), again) || strcmp(again, whole) != 0))
		abort();
	for (size_t n = 0; n < len; n += 1 + len / 16) {
		enum hello_result earlier = hello_read(data, n, part);

		if (earlier != HELLO_MORE && earlier != HELLO_HTTP && earlier != result &&
			!(is_refusal(earlier) && is_refusal(result)))
			abort();
	}
	return 0;
}
