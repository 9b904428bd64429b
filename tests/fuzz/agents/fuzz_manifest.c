/* A portal, or who is in its place, may answer anything; and a text that was signed is read with
 * the same care. */
#include "agents/packages/manifest.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct manifest_trust trust = { NULL, "t", "d" };
	char *text = xmalloc(size + 1);
	struct manifest manifest = { 0 };
	struct fault fault;
	char *roots = NULL;

	memcpy(text, data, size);
	text[size] = '\0';
	if (manifest_read_text(&manifest, text, &trust, &fault) == OK)
		for (unsigned i = 0; i < manifest.n_files; i++)
			if (strchr(manifest.files[i].name, '/') != NULL ||
				manifest.files[i].name[0] == '.')
				abort();
	if (manifest_read(&manifest, text, size, &trust, &roots, &fault) == OK)
		free(roots);
	free(text);
	return 0;
}
