/*
 * admit: who may connect, and as what. The loop's thread.
 *
 * An access token is verified in the handshake, offline. A device's own credentials (HTTP Basic)
 * have to be shown to auth and provision, which takes a while, and libwebsockets cannot hold a
 * handshake: so the upgrade is accepted, nothing is read, and the session begins, or the connection
 * is closed with 1008, when they have answered.
 */
#pragma once

#include "dataplane/net/channel.h"

/* See channel_server_options.handshake; `context` is the struct dataplane. */
int admit_handshake(void *context, struct channel *channel, const struct channel_request *request,
	const char **why);
