/*
 * tls: a TLS client connection over a non-blocking socket, made for batches: what is written is
 * gathered and sent by one system call at tls_flush, and one system call reads many records. The
 * only code that sees OpenSSL's TLS. TLS 1.2 or later; certificate and host name are always
 * verified.
 */
#pragma once

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

#define TLS_BATCH_MAX (256 * 1024) /* bytes of gathered records, sent or not */

struct tls_trust; /* whose certificates are good */
struct tls;

enum tls_result {
	TLS_OK,
	TLS_READ,   /* again when the socket is readable */
	TLS_WRITE,  /* again when it is writable */
	TLS_CLOSED, /* the peer ended the stream properly */
	TLS_FAILED, /* tls_why says it */
};

/* `ca_pem` NULL: the system's certificates. */
err_t tls_trust_create(
	struct tls_trust **trust, const char *ca_pem, struct fault *fault) MUST_CHECK;
void tls_trust_destroy(struct tls_trust *trust); /* NULL is fine */

/* Begins a connection to `host` (a name or an address) over `fd`, which it takes. */
struct tls *tls_create(struct tls_trust *trust, int fd, const char *host);
void tls_destroy(struct tls *tls); /* closes the socket; NULL is fine */

enum tls_result tls_handshake(struct tls *tls);

/* Reads some bytes. */
enum tls_result tls_read(struct tls *tls, uint8_t *buf, size_t size, size_t *len);

/* Gathers some of the bytes: all, if the last flush was TLS_OK and they are not near TLS_BATCH_MAX.
 */
enum tls_result tls_write(struct tls *tls, const uint8_t *buf, size_t size, size_t *len);

/* Sends what was gathered. TLS_OK: all of it is with the kernel. */
enum tls_result tls_flush(struct tls *tls);

/* Tells the peer that this is the end. */
void tls_end(struct tls *tls);

const char *tls_why(const struct tls *tls);
