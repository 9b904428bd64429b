/* we500_learn: what devices whose words nobody knows say when they use a package. Any thread. */
#pragma once

#include "proto/portal.pb-c.h"

#include <stddef.h>

/* Logs the first 512 bytes of the body of the device that has this status; long words, which
 * passwords, keys and digests are, are masked. */
void we500_learn_note(const Provision__PortalStatus *status, const char *body, size_t len);
