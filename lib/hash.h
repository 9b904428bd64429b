/*
 * hash: uthash, with a hash function that all our compilers take without a warning (its own default
 * falls through between cases).
 */
#pragma once

#define HASH_FUNCTION(key, len, value) HASH_OAT(key, len, value)
#include <uthash.h>
