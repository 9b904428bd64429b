/*
 * splitter: any bytes, cut anywhere. First byte: how the rest is cut. Nothing may be lost: what is
 * given out and what waits is all that was added, but for the LF that separates two documents.
 */
#include "dataplane/nymea/splitter.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct splitter splitter = { 0 };
	size_t out = 0, n = 0, step, document_len;
	const char *text;

	if (len < 1)
		return 0;
	step = 1 + data[0];
	for (size_t at = 1; at < len; at += step) {
		splitter_add(&splitter, data + at, len - at < step ? len - at : step);
		for (; splitter_next(&splitter, &text, &document_len); n++) {
			out += document_len;
			if (document_len == 0)
				abort();
		}
	}
	splitter_rest(&splitter, &text, &document_len);
	if (out + document_len > len - 1 || out + document_len + n < len - 1)
		abort();
	splitter_finish(&splitter);
	return 0;
}
