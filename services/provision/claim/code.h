/* code: claim codes, 80 random bits as 16 letters and digits in fours that people can read out.
 * Pure, any thread. */
#pragma once

#include "lib/mem.h"

#define CLAIM_CODE_LEN 16

const char *claim_code_new(struct arena *arena);

/* What is stored of it; NULL if the text is no claim code. Case, blanks and dashes don't matter,
 * and what looks alike is the same: O is 0, I and L are 1. */
const char *claim_code_digest(struct arena *arena, const char *serial, const char *code);
