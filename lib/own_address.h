/*
 * own_address: under which address other machines reach this one, for processes that listen on
 * every address and are one of many alike, as in containers.
 */
#pragma once

#include "lib/err.h"

#include <stddef.h>

/* The address of this machine's own host name, an IPv6 one in brackets. ERR_NOT_FOUND if it has
 * none, or just one that only this machine can reach. */
err_t own_address(char *out, size_t size) MUST_CHECK;
