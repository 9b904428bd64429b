/*
 * face: connections of a proxy that speaks uwsgi: each is one client of vpn-ws, which becomes a
 * session, or a request for the status page. The loop's thread.
 */
#pragma once

#include "dataplane/net/stream.h"

struct vpnws;

/* Begins with a connection of the proxy. */
void face_accept(struct vpnws *vpnws, struct stream *stream);
