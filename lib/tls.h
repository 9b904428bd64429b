/*
 * tls: a TLS connection, made for batches: what is written is gathered and sent by one system call,
 * and one system call reads many records. TLS 1.2 or later. An object belongs to one thread at a
 * time.
 *
 * A client (tls_create) reads and writes its non-blocking socket itself, and always verifies the
 * server's certificate and host name. A server (tls_accept) is given the records that came and
 * gives out those to send, since thousands of connections share the memory for both.
 */
#pragma once

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_BATCH_MAX	(256 * 1024) /* bytes of gathered records, sent or not */
#define TLS_RECORD_MAX	16384	     /* bytes of plain text in one record */
#define TLS_SUBJECT_MAX 256
#define TLS_FIELD_MAX	64

struct tls_trust;  /* whose certificates are good */
struct tls_server; /* tls_server.h */
struct tls;

enum tls_result {
	TLS_OK,
	TLS_READ,   /* again when the socket is readable */
	TLS_WRITE,  /* again when it is writable */
	TLS_CLOSED, /* the peer ended the stream properly */
	TLS_FAILED, /* tls_why says it */
};

/* To be called before the process has threads: several that need OpenSSL for the first time at once
 * may each load its providers, and one of them is never freed (OpenSSL 3.0). Nor does OpenSSL go at
 * the end of the process, when threads may still be there that use it. */
void tls_start(void);

/* ---- a client ---- */

/* Who is believed: the system's certificates, and those of `ca_pem` unless it is NULL. */
err_t tls_trust_create(
	struct tls_trust **trust, const char *ca_pem, struct fault *fault) MUST_CHECK;
void tls_trust_destroy(struct tls_trust *trust); /* NULL is fine */

/* Believes any server from now on: only as the operator says so. */
void tls_trust_anybody(struct tls_trust *trust);

/* Shows servers that ask for it this certificate, with those that lead to its authority. */
err_t tls_trust_present(struct tls_trust *trust, const char *chain_pem, const char *key_pem,
	struct fault *fault) MUST_CHECK;

/* Begins a connection to `host` (a name or an address) over `fd`, which it takes. */
struct tls *tls_create(struct tls_trust *trust, int fd, const char *host);

/* Sends what was gathered. TLS_OK: all of it is with the kernel. */
enum tls_result tls_flush(struct tls *tls);

/* ---- a server ---- */

/* Records between the socket and connections; may serve many, one after the other. */
struct tls_wire {
	const uint8_t *in; /* received; taken from the front */
	size_t in_len;
	uint8_t *out; /* to be sent; grows as needed, freed by tls_wire_finish */
	size_t out_len, out_size;
};

void tls_wire_finish(struct tls_wire *wire);

/* Begins a connection whose records are in and go to the wire; keeps both. TLS_READ then means:
 * when more has been received; TLS_WRITE never comes. Every call but tls_why and those about the
 * peer may add to wire->out. */
struct tls *tls_accept(struct tls_server *server, struct tls_wire *wire);

/* Bytes of plain text in a record from now on, 512 to TLS_RECORD_MAX. */
void tls_set_record_max(struct tls *tls, size_t len);

/* The name that the client asked for; NULL if it did not. */
const char *tls_asked_name(const struct tls *tls);

/* What the client's certificate, which is verified, says about it; "" where it says nothing. */
struct tls_peer {
	char organisation[TLS_FIELD_MAX + 1]; /* O, OU and CN of its subject */
	char unit[TLS_FIELD_MAX + 1];
	char name[TLS_FIELD_MAX + 1];
	char issuer_organisation[TLS_FIELD_MAX + 1]; /* O of who signed it */
};

/* False: there is no certificate, or one of these is too long or there several times. */
bool tls_peer(const struct tls *tls, struct tls_peer *peer);

/* The whole subject as "CN=...,O=..." (RFC 4514). False: there is no certificate, or it does not
 * fit. */
bool tls_peer_subject(const struct tls *tls, char *out, size_t size);

/* ---- both ---- */

void tls_destroy(struct tls *tls); /* closes a client's socket; NULL is fine */

enum tls_result tls_handshake(struct tls *tls);

/* Reads some bytes. */
enum tls_result tls_read(struct tls *tls, uint8_t *buf, size_t size, size_t *len);

/* Gathers some of the bytes. A client: all, if the last flush was TLS_OK and they are not near
 * TLS_BATCH_MAX. A server: always all. */
enum tls_result tls_write(struct tls *tls, const uint8_t *buf, size_t size, size_t *len);

/* Tells the peer that this is the end. */
void tls_end(struct tls *tls);

const char *tls_why(const struct tls *tls);
