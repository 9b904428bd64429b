/*
 * basic: a request that showed a device's own credentials and waits for what auth and provision
 * say. The loop's thread; the calls run in a thread of its pool.
 */
#pragma once

#include "dataplane/admit/admit.h"
#include "dataplane/admit/certificate.h"
#include "dataplane/admit/credentials.h"

struct dataplane;

/* Asks; the request is answered when they have. */
void basic_create(struct dataplane *dataplane, struct http *http,
	const struct credentials *credentials, const struct admit_request *request);

/* The same for a device whose certificate TLS has verified. */
void basic_create_known(struct dataplane *dataplane, struct http *http,
	const struct certificate *certificate, const struct admit_request *request);
