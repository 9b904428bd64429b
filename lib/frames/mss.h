/*
 * mss: lowers the segment size that a TCP connection is opened with, where the way takes less than
 * its two ends know. No memory, no state; any thread.
 */
#pragma once

#include "lib/ethernet.h"
#include "lib/offload.h"

#include <stddef.h>
#include <stdint.h>

/* If the frame is a SYN with a larger segment size than packets of `mtu` bytes carry, changes that,
 * and the checksum with it. `at` is the frame's. */
void mss_clamp(
	uint8_t *frame, const struct ethernet *at, const struct offload *offload, uint32_t mtu);
