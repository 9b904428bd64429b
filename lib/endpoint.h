/*
 * endpoint: "ADDRESS:PORT" as settings have it, or the path of a unix socket, turned into a socket
 * address.
 */
#pragma once

#include "lib/err.h"

#include <sys/socket.h>

/* Parses 127.0.0.1:80, [::1]:80 or :80 (every IPv4 address); no names. ERR_INVALID_ARGUMENT for all
 * else. */
err_t endpoint_parse(const char *text, struct sockaddr_storage *address) MUST_CHECK;

/* The same, or a path: what begins with '/' or has no ':'. `len` is that of the address. */
err_t endpoint_parse_any(
	const char *text, struct sockaddr_storage *address, socklen_t *len) MUST_CHECK;
