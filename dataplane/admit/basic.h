/*
 * basic: a connection that showed a device's own credentials and waits for what auth and provision
 * say. The loop's thread; the calls run in a thread of its pool.
 */
#pragma once

#include "dataplane/net/channel.h"
#include "dataplane/admit/credentials.h"

struct dataplane;

/* Makes the connection one that waits. */
void basic_create(struct dataplane *dataplane, struct channel *channel,
	const struct credentials *credentials, const struct channel_request *request);
