/*
 * tls_internal: what the files of lib/tls share. These files are the only ones that see OpenSSL's
 * TLS.
 */
#pragma once

#include "lib/tls.h"
#include "lib/tls_server.h"

#include <openssl/ssl.h>

/* The oldest error of OpenSSL's queue, in words; the queue is empty then. */
const char *tls_queue_says(void);

/* A context with what every connection of ours has; never NULL. */
SSL_CTX *tls_context_new(const SSL_METHOD *method);

SSL_CTX *tls_trust_context(const struct tls_trust *trust);

/* The key with this URI in a token (tls_token.h); NULL: the fault tells why not. */
EVP_PKEY *tls_token_key(const char *uri, struct fault *fault);

/* The context that a new connection begins with. */
SSL_CTX *tls_server_context(const struct tls_server *server);
