/*
 * door: ends TLS on this machine, with the certificates of the names, and passes the plain bytes on
 * to a local service: for those that speak HTTP only. Bounded: a side that does not read holds the
 * other. The loop's thread.
 */
#pragma once

#include "agents/loop.h"

#include "lib/err.h"
#include "lib/tls_server.h"

struct door;

#define DOOR_TEXT_MAX 64

/* Listens on `listen` (ADDRESS:PORT; NULL: any port of 127.0.0.1), passes on to `target` (the same,
 * or the path of a unix socket). Until there are identities, visitors are turned away. */
err_t door_open(struct door **door, struct loop *loop, const char *listen, const char *target,
	struct fault *fault) MUST_CHECK;
void door_close(struct door *door); /* with all visitors; NULL is fine */

/* New visitors are shown these certificates, which are copied. None: they are turned away. */
err_t door_show(struct door *door, const struct tls_identity *identities, size_t n,
	struct fault *fault) MUST_CHECK;

/* Where it is reached from this machine: ADDRESS:PORT. */
const char *door_address(const struct door *door);
