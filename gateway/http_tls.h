/* http_tls: what http.c has to do with the TLS session of a connection, which GnuTLS keeps for
 * libmicrohttpd. Event threads. */
#pragma once

#include "gateway/http.h"

#include <gnutls/gnutls.h>

struct MHD_Connection;

struct http_tls {
	gnutls_datum_t tickets; /* key of session tickets */
};

void http_tls_init(struct http_tls *tls);
void http_tls_finish(struct http_tls *tls);

/* Before the handshake: sessions can be resumed, and with `ask` the client may show a certificate.
 */
void http_tls_prepare(const struct http_tls *tls, struct MHD_Connection *connection, bool ask);

/* What the client has shown becomes the request's certificate. */
void http_tls_read(struct http_request *request, struct MHD_Connection *connection);
