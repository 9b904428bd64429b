/* http_tls: see http_tls.h. */
#include "gateway/http_tls.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <microhttpd.h>

#include <string.h>

static gnutls_session_t session_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return info != NULL ? info->tls_session : NULL;
}

void http_tls_init(struct http_tls *tls)
{
	if (gnutls_session_ticket_key_generate(&tls->tickets) != GNUTLS_E_SUCCESS)
		BUG("no key for session tickets");
}

void http_tls_finish(struct http_tls *tls)
{
	gnutls_free(tls->tickets.data);
}

void http_tls_prepare(const struct http_tls *tls, struct MHD_Connection *connection, bool ask)
{
	gnutls_session_t session = session_of(connection);

	if (session == NULL)
		return;
	/* GnuTLS changes the key that it really uses by itself, from this one and the time. */
	if (gnutls_session_ticket_enable_server(session, &tls->tickets) != GNUTLS_E_SUCCESS)
		LOG_THROTTLED(LOG_LEVEL_WARN, "tickets", "text=\"no session tickets\"");
	if (ask)
		gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
}

void http_tls_read(struct http_request *request, struct MHD_Connection *connection)
{
	gnutls_session_t session = session_of(connection);
	const gnutls_datum_t *shown;
	unsigned n = 0;

	shown = session != NULL ? gnutls_certificate_get_peers(session, &n) : NULL;
	if (shown == NULL || n == 0)
		return;
	request->certificate =
		memcpy(arena_alloc(request->call.arena, shown->size), shown->data, shown->size);
	request->certificate_len = shown->size;
}
