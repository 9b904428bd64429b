/*
 * tls_server: what a TLS server shows and whom it trusts: certificates chosen by the name that the
 * client asks for (SNI), and client certificates. Connections of it are made by tls_accept (tls.h).
 * One thread at a time.
 */
#pragma once

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

#define TLS_IDENTITIES_MAX 64

struct tls_server;

enum tls_clients {
	TLS_CLIENTS_ANY,      /* no certificate is asked for */
	TLS_CLIENTS_OPTIONAL, /* one that is shown must be good */
	TLS_CLIENTS_REQUIRED,
};

/* PEM files: the certificate with its chain, and its private key, which may be in a token instead
 * (tls_token.h). */
struct tls_identity {
	const char *cert, *key;
	const char *chain; /* what follows the certificate; NULL: it is in the same file */
};

/* All of it is kept. */
struct tls_server_options {
	/* The first whose certificate is for the name that the client asks for; else the first. */
	const struct tls_identity *identities;
	size_t n_identities; /* 1 to TLS_IDENTITIES_MAX */
	enum tls_clients clients;
	/* PEM file of certificates that sign clients'. With revocation lists in it, one of each of
	 * them is needed. */
	const char *client_ca;
};

/* Reads the files. The fault names the file that is no good. */
err_t tls_server_create(struct tls_server **server, const struct tls_server_options *options,
	struct fault *fault) MUST_CHECK;

/* After its connections; NULL is fine. */
void tls_server_destroy(struct tls_server *server);

/* Reads the files again if any of them has changed. From then on new connections see what they
 * hold; old ones go on. On a fault all stays as it was, and it is not told again until the files
 * change again. `changed` tells if they were read. */
err_t tls_server_refresh(struct tls_server *server, bool *changed, struct fault *fault) MUST_CHECK;
