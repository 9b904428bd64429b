/* web: see web.h. Everything in libmicrohttpd's own thread: an answer never waits for the database,
 * but for the few changes that PowerDNS makes. */
#include "services/dns/web.h"

#include "lib/endpoint.h"
#include "lib/log.h"

#include <microhttpd.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS 64
#define IDLE_S	    600 /* PowerDNS keeps its connections */

struct web {
	struct MHD_Daemon *daemon;
	const struct remote *remote;
};

struct body {
	size_t len;
	char text[WEB_BODY_MAX];
};

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *text)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	MHD_add_response_header(response, "Content-Type", "application/json");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer(
	struct web *web, struct MHD_Connection *connection, const struct body *body)
{
	AUTO_ARENA arena = arena_create();

	return reply(
		connection, MHD_HTTP_OK, remote_answer(web->remote, body->text, body->len, arena));
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_len,
	void **state)
{
	struct body *body = *state;
	size_t len = *upload_len;

	(void)url, (void)version;
	if (strcmp(method, "POST") != 0)
		return reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
			"{\"result\":false,\"log\":[\"set post=1,post_json=1\"]}");
	if (body == NULL) {
		body = xmalloc(sizeof(*body));
		body->len = 0;
		*state = body;
		return MHD_YES;
	}
	if (len == 0)
		return answer(arg, connection, body);
	if (len > sizeof(body->text) - body->len)
		return MHD_NO;
	memcpy(body->text + body->len, upload, len);
	body->len += len;
	*upload_len = 0;
	return MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode code)
{
	(void)arg, (void)connection, (void)code;
	free(*state);
	*state = NULL;
}

err_t web_start(struct web **out, const char *listen, const struct remote *remote)
{
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD;
	struct sockaddr_storage address;
	struct web *web;

	if (endpoint_parse(listen, &address) != OK)
		return ERR_INVALID_ARGUMENT;
	if (address.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	web = xcalloc(1, sizeof(*web));
	web->remote = remote;
	web->daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle, web, MHD_OPTION_SOCK_ADDR,
		(struct sockaddr *)&address, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
		NULL, MHD_OPTION_END);
	if (web->daemon == NULL) {
		log_error("dns_http",
			"listen=%s error=%s action=\"choose a free LANYARD_DNS_HTTP\"",
			log_value(listen), log_value(strerror(errno)));
		free(web);
		return ERR_UNAVAILABLE;
	}
	*out = web;
	return OK;
}

void web_stop(struct web *web)
{
	if (web == NULL)
		return;
	MHD_stop_daemon(web->daemon);
	free(web);
}
