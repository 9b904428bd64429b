/* fuzz_remote: any question gets one line of JSON as answer. */
#include "services/dns/remote.h"

#include "tests/unit/services/dns/sample_directory.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct remote remote;
	AUTO_ARENA arena = arena_create();
	const char *answer;

	if (remote.directory == NULL)
		remote.directory = sample_directory();
	answer = remote_answer(&remote, (const char *)data, size, arena);
	if (answer[0] != '{' || strchr(answer, '\n') != NULL)
		abort();
	return 0;
}
