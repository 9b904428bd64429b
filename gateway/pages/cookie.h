/*
 * cookie: small secrets that a browser keeps for this host only, out of reach of scripts; their
 * names begin with __Host-. In workers.
 */
#pragma once

#include "gateway/api.h"

/* What the cookie of that name holds; "" without one. */
const char *cookie_get(struct api_request *request, const char *name);

/* Gives it to the browser; `more` are further attributes, "; Max-Age=...", or "". */
void cookie_set(
	struct api_request *request, const char *name, const char *secret, const char *more);
