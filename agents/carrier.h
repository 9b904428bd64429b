/*
 * carrier: the bytes of a connection to a node, over TLS (lib/tls) or plain TCP; what it returns
 * means the same for both. Non-blocking. What is written is gathered and sent by one system call at
 * carrier_flush. The loop's thread.
 */
#pragma once

#include "lib/tls.h"

#include <stddef.h>
#include <stdint.h>

struct carrier;

/* Begins over `fd`, which it takes; with `trust` TLS with `host` (a name or an address). */
struct carrier *carrier_create(int fd, struct tls_trust *trust, const char *host);
void carrier_destroy(struct carrier *carrier); /* closes the socket; NULL is fine */

enum tls_result carrier_handshake(struct carrier *carrier);

/* Reads some bytes. */
enum tls_result carrier_read(struct carrier *carrier, uint8_t *buf, size_t size, size_t *len);

/* Takes some of the bytes: all, if the last flush was TLS_OK and they are not near TLS_BATCH_MAX.
 */
enum tls_result carrier_write(
	struct carrier *carrier, const uint8_t *buf, size_t size, size_t *len);

/* Sends what was taken. TLS_OK: all of it is with the kernel. */
enum tls_result carrier_flush(struct carrier *carrier);

/* Writes and flushes what stands from *begin to *end of `out`, as far as it goes, and moves *begin;
 * both are 0 when all is taken. TLS_OK: all of it is with the kernel. */
enum tls_result carrier_drain(
	struct carrier *carrier, const uint8_t *out, size_t *begin, size_t *end);

/* Tells the peer that this is the end. */
void carrier_end(struct carrier *carrier);

const char *carrier_why(const struct carrier *carrier);
