/*
 * frame: what the switch reads of a frame, and the text form of MAC addresses.
 */
#include "dataplane/switch/frame.h"

#include <string.h>

#define MAC_GROUP_BIT (1ULL << 40)

static uint64_t mac_read(const uint8_t *bytes)
{
	uint64_t mac = 0;

	for (int i = 0; i < 6; i++)
		mac = mac << 8 | bytes[i];
	return mac;
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

err_t frame_parse(const uint8_t *bytes, size_t len, struct frame_header *header)
{
	if (len < FRAME_LEN_MIN || len > FRAME_LEN_MAX)
		return ERR_OUT_OF_RANGE;
	header->destination = mac_read(bytes);
	header->source = mac_read(bytes + 6);
	return OK;
}

bool frame_mac_is_group(uint64_t mac)
{
	return (mac & MAC_GROUP_BIT) != 0;
}

err_t frame_mac_parse(const char *text, uint64_t *mac)
{
	uint64_t value = 0;

	if (strlen(text) != FRAME_MAC_TEXT - 1)
		return ERR_INVALID_ARGUMENT;
	for (int i = 0; i < 6; i++, text += 3) {
		int high = hex_value(text[0]);
		int low = hex_value(text[1]);

		if (high < 0 || low < 0 || text[2] != (i < 5 ? ':' : '\0'))
			return ERR_INVALID_ARGUMENT;
		value = value << 8 | (uint64_t)(high << 4 | low);
	}
	if (value == 0 || frame_mac_is_group(value))
		return ERR_INVALID_ARGUMENT;
	*mac = value;
	return OK;
}
