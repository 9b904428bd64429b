/*
 * handshake: what a client asked for, and the answer if it is refused; channel.c's part that reads
 * HTTP from libwebsockets. The loop's thread.
 */
#pragma once

#include "dataplane/net/channel.h"

/* What a callback of the library returns to end the connection. */
#define HANDSHAKE_END (-1)

/* Reads the request. 0, or the HTTP status to refuse it with and one sentence in `why`. */
int handshake_read(struct lws *wsi, struct channel_request *request, const char **why);

/* Answers with the status; HANDSHAKE_END. */
int handshake_refuse(struct lws *wsi, int status, const char *why);

/* 0 if the upgrade is to websocket, else HANDSHAKE_END. */
int handshake_check_upgrade(struct lws *wsi);
