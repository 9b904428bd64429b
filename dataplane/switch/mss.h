/*
 * mss: lowers the segment size that a TCP connection is opened with, for clients whose TAP takes
 * less than their interface's MTU. No memory, no state; any thread.
 */
#pragma once

#include "lib/ethernet.h"
#include "lib/offload.h"

#include <stddef.h>
#include <stdint.h>

/* What vpn-ws-client sends of a frame: all behind it is cut off, and TCP's options need room too
 * (40 and 60 bytes of headers in 1500 less 14). */
#define MSS_IPV4_MAX 1446
#define MSS_IPV6_MAX 1426

/* If the frame is a SYN with a larger segment size, changes that, and the checksum with it. `at` is
 * the frame's. */
void mss_clamp(uint8_t *frame, const struct ethernet *at, const struct offload *offload);
