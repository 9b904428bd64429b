/*
 * fetch: asks an identity provider over https, with bounds: at most FETCH_MAX bytes, a few seconds,
 * no redirects, no proxy, and no private address unless the operator allows it. Any thread.
 */
#pragma once

#include "lib/call.h"

#include <stdbool.h>

#define FETCH_MAX (256 * 1024)

/* Once, before the first thread. `ca_file` "": the system's certificates. */
void fetch_open(const char *ca_file, bool allow_private);

struct fetch {
	const char *url;
	const char *form;	     /* of a POST; NULL: a GET */
	const char *user, *password; /* HTTP Basic; NULL: none */
};

/* The body of a reply with status 200, in the call's arena. UNAVAILABLE: none came; the fault and
 * the log say why. RESOURCE_EXHAUSTED: too many wait for providers already. */
err_t fetch(struct call *call, const struct fetch *request, const char **body) MUST_CHECK;
