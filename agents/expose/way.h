/*
 * way: how visitors come to a name: a tunnel to one of the nodes; if that one can't be reached, to
 * the next. The loop's thread.
 */
#pragma once

#include "agents/expose/registry.h"
#include "agents/fetch.h"
#include "agents/loop.h"

#include "lib/congestion.h"
#include "lib/tls.h"

#include <jansson.h>

#include <stdbool.h>

struct way;

/* As those of tunnel.h; all of it is kept. */
struct way_options {
	struct loop *loop;
	struct fetcher *fetcher;
	struct tls_trust *trust;
	struct congestion *congestion;
	const char *target, *http_target;
	bool proxy_protocol;
	void *context;
	void (*changed)(void *context);
};

struct way *way_create(const struct way_options *options);
void way_destroy(struct way *way); /* NULL is fine */

/* Leads to one of the nodes of `info`, which there are, with the name's token. Again: when either
 * is another; what is as before goes on. */
void way_lead(struct way *way, const struct name_info *info, const char *token);

bool way_is_open(const struct way *way);
bool way_is_refused(const struct way *way); /* by the node, for now */

/* Adds what a status tells of it. */
void way_report(const struct way *way, json_t *status);
