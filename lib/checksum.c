/* checksum: see checksum.h. Words are summed as they lie in memory, and the sum is turned round. */
#include "lib/checksum.h"

#include "lib/bytes.h"

#include <string.h>

static uint32_t fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)sum;
}

uint32_t checksum_add(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *at = data;
	uint64_t even = 0, odd = 0;
	uint8_t folded[2];
	uint16_t in_memory;

	for (; len >= 16; len -= 16, at += 16) {
		uint64_t words[2];

		memcpy(words, at, sizeof(words));
		even += (words[0] & 0xffffffff) + (words[1] & 0xffffffff);
		odd += (words[0] >> 32) + (words[1] >> 32);
	}
	for (; len > 0; len -= len < 4 ? len : 4, at += 4) {
		uint32_t word = 0;

		memcpy(&word, at, len < 4 ? len : 4);
		even += word;
	}
	in_memory = (uint16_t)fold(
		(even & 0xffffffff) + (even >> 32) + (odd & 0xffffffff) + (odd >> 32));
	memcpy(folded, &in_memory, sizeof(folded));
	return fold((uint64_t)sum + bytes_be16(folded));
}

uint16_t checksum_finish(uint32_t sum)
{
	uint16_t checksum = (uint16_t)~fold(sum);

	return checksum ? checksum : 0xffff;
}

uint16_t checksum_update(uint16_t checksum, uint16_t before, uint16_t after)
{
	return checksum_finish((uint16_t)~checksum + (uint32_t)(uint16_t)~before + after);
}
