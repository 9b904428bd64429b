/*
 * socket: what is set on and asked of the sockets of clients. Any thread.
 */
#pragma once

#include "dataplane/net/proxy_protocol.h"
#include "dataplane/net/stream.h"

/* For a connected socket: no delays, a short queue of unsent bytes, and an end when the peer is
 * dead. Nothing for a unix socket. */
void socket_tune(int fd);

/* Its two ends; AF_UNSPEC for one that is gone. */
void socket_ends(int fd, struct proxy_ends *ends);

/* An address as text, without its port; "unix" for that of a unix socket, "" if it is none. */
void socket_text(const struct sockaddr_storage *address, char text[STREAM_ADDRESS_LEN]);

/* An address as 16 bytes, an IPv4 one mapped into IPv6; false if it is neither. */
bool socket_map(const struct sockaddr_storage *address, uint8_t out[16]);

/* Why it broke, in words. */
const char *socket_failure(int fd);

void socket_path(int fd, struct stream_path *path);
