/*
 * Any bytes from a proxy: what is a header is no longer than what came and is read the same in any
 * cut, and its ends can be shown and told on.
 */
#include "dataplane/net/proxy_protocol.h"
#include "dataplane/net/socket.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Told to the next, they are the same. */
static void check_told_on(const struct proxy_ends *ends)
{
	char first[STREAM_ADDRESS_LEN], second[STREAM_ADDRESS_LEN];
	uint8_t written[PROXY_WRITE_MAX];
	struct proxy_ends again;
	const char *why;
	size_t len = proxy_write(ends, written), taken;

	if (proxy_read(written, len, &taken, &again, &why) != PROXY_READ || taken != len)
		abort();
	socket_text(&ends->client, first);
	socket_text(&again.client, second);
	if (again.client.ss_family != AF_UNSPEC && strcmp(first, second) != 0)
		abort();
}

/* With fewer bytes nothing else comes out. */
static void check_cut(const uint8_t *data, size_t len, enum proxy_result whole)
{
	for (size_t cut = 0; cut < len && cut < 300; cut++) {
		AUTO_FREE uint8_t *copy = xmalloc(cut + 1); /* what is read beyond is found */
		struct proxy_ends ends;
		const char *why;
		size_t taken;
		enum proxy_result result;

		memcpy(copy, data, cut);
		result = proxy_read(copy, cut, &taken, &ends, &why);
		if (result == PROXY_READ || (result == PROXY_BROKEN && whole != PROXY_BROKEN))
			abort();
		if (result == PROXY_BROKEN)
			return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct proxy_ends ends;
	const char *why;
	size_t taken = len;
	enum proxy_result result = proxy_read(data, len, &taken, &ends, &why);

	if (taken > len || (result == PROXY_BROKEN) != (why != NULL))
		abort();
	if (result == PROXY_READ)
		check_told_on(&ends);
	check_cut(data, taken, result);
	return 0;
}
