/*
 * list: an instance list as VPN apps read it. Of two kinds: of old, with `instances` and a number
 * `seq`; of today, with `server_list` or `organization_list` and a number `v`.
 */
#pragma once

#include "lib/err.h"

#include <jansson.h>

#include <stdbool.h>
#include <stdint.h>

/* Is it a list, and can apps use each entry? The fault says which one they can't. */
err_t list_check(const json_t *list, struct fault *fault) MUST_CHECK;

bool list_is_old(const json_t *list);

/* seq or v; 0 if there is none yet. A newer list never has a lower one. */
int64_t list_number(const json_t *list);

/* Makes it the next one: `seq` one higher and `signed_at`, or `v` the time, in any case higher. */
void list_raise(json_t *list, int64_t now_s);
