/*
 * tls_wire: the BIOs that OpenSSL reads records from and writes them to: memory, or a socket that
 * is read and written many records at a time. Only lib/tls.c uses it.
 *
 * OpenSSL's own read-ahead would move all records that wait before each one that it reads.
 */
#pragma once

#include "lib/tls.h"

#include <openssl/bio.h>

/* A client's wire, which fills and empties itself. */
struct tls_socket {
	struct tls_wire wire; /* first */
	int fd;		      /* -1: there is none */
	uint8_t *in;	      /* what wire.in is a part of */
	size_t sent;	      /* of wire.out */
	bool drained;	      /* the last read took all that there was: the next one isn't tried */
	bool ended;	      /* the peer sends no more */
};

/* Keeps what it is given. Never NULL. */
BIO *tls_wire_bio(struct tls_wire *wire);
BIO *tls_socket_bio(struct tls_socket *socket);

/* Sends what is in wire.out. False: the kernel did not take all, errno says why. */
bool tls_socket_send(struct tls_socket *socket);

void tls_socket_finish(struct tls_socket *socket);
