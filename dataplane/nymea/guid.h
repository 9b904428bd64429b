/*
 * guid: UUIDs as nymea's clients write them: with braces or without, in either case. Any thread.
 */
#pragma once

#include "lib/uuid.h"

#include <stdbool.h>

/* Writes the UUID in lower case without braces; false if `text` is none, or is the null UUID. */
bool guid_parse(const char *text, char uuid[UUID_SIZE]);
