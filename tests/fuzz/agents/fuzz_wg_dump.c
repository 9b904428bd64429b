/* wg_dump: whatever wg may tell; all texts stay texts, and each line is read once. */
#include "agents/wireguard/wg_dump.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);
	struct wg_dump_line line;
	const char *at = text;

	if (text == NULL)
		abort();
	memcpy(text, data, len);
	text[len] = '\0';
	while (wg_dump_next(&at, &line))
		if (strlen(line.public_key) >= sizeof(line.public_key) ||
			strlen(line.seen.source) >= sizeof(line.seen.source) ||
			line.seen.handshake_s < 0)
			abort();
	if (*at != '\0')
		abort();
	free(text);
	return 0;
}
