/* verdict: any text as what uacme said. */
#include "agents/expose/verdict.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *said = malloc(len + 1);
	struct verdict verdict;
	char url[64];

	if (said == NULL)
		abort();
	memcpy(said, data, len);
	said[len] = '\0';
	verdict_read(&verdict, &(struct verdict_of){ 2 << 8, said, NULL, false });
	if (strlen(verdict.text) >= VERDICT_TEXT_MAX)
		abort();
	if (verdict_account(said, url, sizeof(url)) && strncmp(url, "https://", 8) != 0)
		abort();
	free(said);
	return 0;
}
