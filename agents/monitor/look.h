/*
 * look: asks a gateway for all live connections of pairs and tunnels, page by page, over one kept
 * connection. On the loop.
 */
#pragma once

#include "agents/fetch.h"
#include "agents/loop.h"

#include "lib/err.h"

#include <jansson.h>

struct look;

struct look_options {
	const char *url;    /* of the gateway, without a slash at its end */
	const char *tenant; /* whose connections; NULL: of all tenants */
	const char *key;    /* API key or access token */
	const char *ca_pem; /* certificates to trust beside the system's; may be NULL */
	const struct proxy *proxy;
	/* How a look has ended: an array of connections, borrowed, or NULL and why there is none;
	 * ERR_UNAVAILABLE is worth another look. */
	void (*done)(void *context, json_t *connections, err_t err, const struct fault *fault);
	void *context;
};

/* Keeps the options. */
struct look *look_create(struct loop *loop, const struct look_options *options);
void look_destroy(struct look *look); /* NULL is fine */

/* Begins a look, unless one is under way. */
void look_begin(struct look *look);
