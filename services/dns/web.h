/*
 * web: the remote backend over HTTP, for a PowerDNS on another machine or without a shared folder:
 * POST with the JSON of remote.h as body (its connector "http" with post=1,post_json=1). On
 * libmicrohttpd, one thread of its own. It is as open as the socket is: listen on loopback, or in a
 * network of the servers only.
 */
#pragma once

#include "services/dns/remote.h"

#define WEB_BODY_MAX (64 * 1024)

struct web;

/* Listens on ADDRESS:PORT. Keeps `remote`. What goes wrong is logged. */
err_t web_start(struct web **out, const char *listen, const struct remote *remote) MUST_CHECK;
void web_stop(struct web *web); /* NULL is fine */
