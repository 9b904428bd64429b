/* flow: see flow.h. */
#include "lib/frames/flow.h"

#include "lib/ethernet.h"

#include <string.h>

enum { MAC_LEN = 12, PORTS_LEN = 4 };

static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *at = data;

	for (size_t n; len > 0; len -= n, at += n) {
		uint64_t word = 0;

		n = len < sizeof(word) ? len : sizeof(word);
		memcpy(&word, at, n);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 32;
	}
	return hash;
}

uint32_t flow_hash(uint64_t seed, const uint8_t *frame, size_t len)
{
	struct ethernet at;
	uint64_t hash = seed;

	ethernet_parse(frame, len, &at);
	if (at.version == 0)
		return (uint32_t)mix(hash, frame, len < MAC_LEN ? len : MAC_LEN);
	if (at.version == 4)
		hash = mix(hash, frame + at.network + 12, 8);
	else
		hash = mix(hash, frame + at.network + 8, 32);
	hash = mix(hash, &at.protocol, sizeof(at.protocol));
	if (!at.fragmented && ethernet_payload(frame, &at) > 0)
		hash = mix(hash, frame + at.transport, PORTS_LEN);
	return (uint32_t)hash;
}
