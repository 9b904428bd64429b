/*
 * reach: which addresses a tenant may have the fleet connect to: those that anybody reaches. Any
 * thread.
 */
#pragma once

#include <stdbool.h>

struct sockaddr;

/* Is it of no use outside, or does it stand for one that is not (6to4, NAT64, Teredo)? */
bool reach_is_private(const struct sockaddr *address);
