/*
 * letters: codes that people read and type. Any thread.
 */
#pragma once

#include "lib/mem.h"

#include <stddef.h>

#define LETTERS_MAX 32

/* `n` random letters of 20: 4.3 bits each. At most LETTERS_MAX. */
const char *letters_random(struct arena *arena, size_t n);

/* What was typed as it was made: without blanks and dashes, in capitals; "" if it can't be `n` such
 * letters. */
const char *letters_read(struct arena *arena, const char *typed, size_t n);
