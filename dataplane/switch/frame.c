/*
 * frame: what the switch reads of a frame, and the text form of MAC addresses.
 */
#include "dataplane/switch/frame.h"

#include <stdio.h>
#include <string.h>

#define MAC_GROUP_BIT (1ULL << 40)

#define MAC_802_1 0x0180c2000000ULL /* and the 255 behind it (IEEE 802.1Q, table 8-1) */
#define MAC_CISCO 0x01000cccccccULL /* CDP, VTP, UDLD; the next one is PVST+ */

uint64_t frame_mac_read(const uint8_t bytes[6])
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
	header->destination = frame_mac_read(bytes);
	header->source = frame_mac_read(bytes + 6);
	return OK;
}

bool frame_mac_is_group(uint64_t mac)
{
	return (mac & MAC_GROUP_BIT) != 0;
}

bool frame_mac_is_reserved(uint64_t mac)
{
	return (mac & ~0xffULL) == MAC_802_1 || (mac & ~1ULL) == MAC_CISCO;
}

void frame_mac_write(uint64_t mac, uint8_t bytes[6])
{
	for (int i = 0; i < 6; i++)
		bytes[i] = (uint8_t)(mac >> (40 - 8 * i));
}

void frame_mac_format(uint64_t mac, char text[FRAME_MAC_TEXT])
{
	uint8_t b[6];

	frame_mac_write(mac, b);
	snprintf(text, FRAME_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3],
		b[4], b[5]);
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
