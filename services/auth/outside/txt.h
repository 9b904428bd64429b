/*
 * txt: asks DNS for TXT records: by the resolvers of the system or by one that is set, for a few
 * seconds at most. Any thread.
 */
#pragma once

#include "lib/call.h"

#include <stdbool.h>
#include <stddef.h>

/* Once, before the first thread. `resolver` is "ADDRESS:PORT" of IPv4, or "": the system's. */
bool txt_open(const char *resolver) MUST_CHECK;

/* Is there a TXT record of `name` that says `text`? UNAVAILABLE: DNS does not tell.
 * RESOURCE_EXHAUSTED: too many wait for answers already. */
err_t txt_find(struct call *call, const char *name, const char *text, bool *found) MUST_CHECK;

/* Does an answer of DNS have it? */
bool txt_in_answer(const unsigned char *answer, size_t len, const char *text);
