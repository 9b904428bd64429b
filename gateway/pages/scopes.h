/* scopes: what an app may do, in words for people. In workers. */
#pragma once

#include "gateway/pages/page.h"

#include <stddef.h>

/* As a list. */
void scopes_list(struct page *page, size_t n, char *const scopes[]);
