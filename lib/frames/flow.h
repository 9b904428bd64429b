/*
 * flow: which frames belong together: those of one connection, by a hash of addresses, protocol and
 * ports. No memory, no state; any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* `seed` is random, so that nobody can choose connections that collide. Fragments go by their
 * addresses, what is not IP by its MAC addresses. */
uint32_t flow_hash(uint64_t seed, const uint8_t *frame, size_t len);
