/*
 * bytes: numbers of a fixed byte order at any address. Any thread.
 */
#pragma once

#include <stdint.h>

static inline uint16_t bytes_be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t bytes_be32(const uint8_t *at)
{
	return (uint32_t)bytes_be16(at) << 16 | bytes_be16(at + 2);
}

static inline uint16_t bytes_le16(const uint8_t *at)
{
	return (uint16_t)(at[1] << 8 | at[0]);
}

static inline void bytes_put_be16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void bytes_put_be32(uint8_t *at, uint32_t value)
{
	bytes_put_be16(at, (uint16_t)(value >> 16));
	bytes_put_be16(at + 2, (uint16_t)value);
}

static inline void bytes_put_le16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}
