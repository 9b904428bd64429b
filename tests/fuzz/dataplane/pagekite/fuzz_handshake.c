/* fuzz_handshake: what is read as a handshake of PageKite fits into its fields, in pieces too. */
#include "dataplane/pagekite/handshake.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct handshake handshake;
	size_t taken = 0;
	enum handshake_result result = handshake_read(&handshake, data, size, &taken);

	if (result == HANDSHAKE_WHOLE &&
		(taken > size || handshake.n == 0 || handshake.n > HANDSHAKE_KITES_MAX))
		abort();
	for (size_t i = 0; result == HANDSHAKE_WHOLE && i < handshake.n; i++)
		if (strlen(handshake.kites[i].name) == 0 || strlen(handshake.kites[i].salt) == 0)
			abort();
	/* A part of it never says that it is whole: nothing is read twice. */
	if (result == HANDSHAKE_WHOLE &&
		handshake_read(&handshake, data, taken - 1, &taken) == HANDSHAKE_WHOLE)
		abort();
	return 0;
}
