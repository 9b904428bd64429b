/*
 * checksum: the Internet checksum (RFC 1071) of IP, TCP, UDP and ICMPv6. No memory, no state; any
 * thread.
 *
 * A sum is 32 bits wide and not folded; 0 begins one. What is added begins at an even place of what
 * is summed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t checksum_add(uint32_t sum, const void *data, size_t len);

/* What goes into the checksum's field; never 0, which means the same and in UDP "none". */
uint16_t checksum_finish(uint32_t sum);

/* The field after a 16-bit word of what it covers was changed (RFC 1624). */
uint16_t checksum_update(uint16_t checksum, uint16_t before, uint16_t after);
