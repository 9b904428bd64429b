/* openapi: the text of gateway/openapi.yaml, as it was built. */
#pragma once

#include <stddef.h>

extern const char openapi_text[]; /* NUL-terminated */
extern const char openapi_end[];

size_t openapi_len(void);
