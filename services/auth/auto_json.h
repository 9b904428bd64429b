/* auto_json: a value of jansson that is released at the end of its scope. */
#pragma once

#include <jansson.h>

static inline void auto_json_release(json_t **slot)
{
	json_decref(*slot);
}
#define AUTO_JSON __attribute__((cleanup(auto_json_release))) json_t *
