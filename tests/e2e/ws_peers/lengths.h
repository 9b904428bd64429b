/*
 * lengths: the messages that a talking peer sends, each whole and in fragments with a ping between
 * them.
 */
#pragma once

#include <stddef.h>

#define LENGTH_MAX (1024 * 1024)

static const size_t lengths[] = { 0, 1, 125, 126, 127, 128, 65535, 65536, 65537, LENGTH_MAX };

#define N_LENGTHS (sizeof(lengths) / sizeof(lengths[0]))
