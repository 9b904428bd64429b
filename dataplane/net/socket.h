/*
 * socket: what is set on and asked of the sockets of clients. Any thread.
 */
#pragma once

#include "dataplane/net/stream.h"

/* For a connected socket: no delays, a short queue of unsent bytes, and an end when the peer is
 * dead. Nothing for a unix socket. */
void socket_tune(int fd);

/* The peer's address as text; "unix" for a unix socket, "" if it is gone. */
void socket_peer(int fd, char address[STREAM_ADDRESS_LEN]);

/* Why it broke, in words. */
const char *socket_failure(int fd);

void socket_path(int fd, struct stream_path *path);
