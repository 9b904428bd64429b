/*
 * proxy_protocol: the header of PROXY protocol version 2, in which a proxy tells, before all other
 * bytes, whose connection it passes on. Pure.
 *
 * On the wire: a signature of 12 bytes, version and command, address family and protocol, u16
 * length, then as many bytes: the addresses, and extensions, which are skipped. Big-endian.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define PROXY_HEADER_LEN 16
#define PROXY_HEADER_MAX (PROXY_HEADER_LEN + 65535)
#define PROXY_WRITE_MAX	 (PROXY_HEADER_LEN + 36) /* what proxy_write writes at most */

/* The two ends of a client's connection to the proxy. AF_UNSPEC: not told. */
struct proxy_ends {
	struct sockaddr_storage client, server;
};

enum proxy_result {
	PROXY_MORE,   /* it is not whole yet */
	PROXY_READ,   /* `taken` bytes were the header */
	PROXY_BROKEN, /* it is none */
};

/*
 * Reads the header that begins the `len` bytes. The ends are those of an IPv4, IPv6 or unix
 * connection; not told if the proxy speaks for itself (LOCAL) or does not know. `why` says in words
 * what is broken.
 */
enum proxy_result proxy_read(
	const uint8_t *data, size_t len, size_t *taken, struct proxy_ends *ends, const char **why);

/* Writes the header for a stream between these ends and returns its length. Ends that are not both
 * IP addresses are not told. */
size_t proxy_write(const struct proxy_ends *ends, uint8_t out[PROXY_WRITE_MAX]);
