/* base64: see base64.h. Any thread. */
#include "lib/base64.h"

#include <sodium.h>

bool base64_decode(
	const char *text, size_t len, int variant, void *out, size_t max, size_t *out_len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return sodium_base642bin(out, max, text, len, NULL, out_len, NULL, variant) == 0;
}
