/*
 * uuid: see uuid.h.
 */
#include "lib/uuid.h"

#include <sodium.h>

#include <stdio.h>
#include <string.h>

void uuid_of(const unsigned char bytes[16], unsigned version, char text[UUID_SIZE])
{
	unsigned char raw[16];

	memcpy(raw, bytes, sizeof(raw));
	raw[6] = (unsigned char)((raw[6] & 0x0f) | version << 4); /* RFC 9562, section 4 */
	raw[8] = (unsigned char)((raw[8] & 0x3f) | 0x80);
	snprintf(text, UUID_SIZE,
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", raw[0],
		raw[1], raw[2], raw[3], raw[4], raw[5], raw[6], raw[7], raw[8], raw[9], raw[10],
		raw[11], raw[12], raw[13], raw[14], raw[15]);
}

void uuid_new(char text[UUID_SIZE])
{
	unsigned char raw[16];

	randombytes_buf(raw, sizeof(raw));
	uuid_of(raw, 4, text);
}
