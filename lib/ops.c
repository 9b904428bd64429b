/* ops: the operator's port on libmicrohttpd, one thread of its own. */
#include "lib/ops.h"

#include "lib/endpoint.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/metrics.h"

#include <microhttpd.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS 16
#define IDLE_S	    10

struct ops {
	struct MHD_Daemon *daemon;
	const char *(*ready)(void *context);
	void *context;
};

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, char *text,
	enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, mode);
	enum MHD_Result result;

	MHD_add_response_header(response, "Content-Type", "text/plain; version=0.0.4");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result reply_word(
	struct MHD_Connection *connection, unsigned status, const char *word)
{
	char text[160];

	snprintf(text, sizeof(text), "%s\n", word);
	return reply(connection, status, text, MHD_RESPMEM_MUST_COPY);
}

static enum MHD_Result reply_metrics(struct MHD_Connection *connection)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		BUG("no memory for the metrics");
	metrics_print(out);
	fclose(out);
	return reply(connection, MHD_HTTP_OK, text, MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_len,
	void **state)
{
	struct ops *ops = arg;
	const char *reason;

	(void)version;
	(void)upload;
	(void)state;
	if (*upload_len > 0)
		return MHD_NO;
	if (strcmp(method, "GET") != 0)
		return reply_word(
			connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET is known here");
	if (strcmp(url, "/livez") == 0)
		return reply_word(connection, MHD_HTTP_OK, "ok");
	if (strcmp(url, "/metrics") == 0)
		return reply_metrics(connection);
	if (strcmp(url, "/readyz") != 0)
		return reply_word(connection, MHD_HTTP_NOT_FOUND,
			"only /livez, /readyz and /metrics are here");
	reason = ops->ready(ops->context);
	return reply_word(connection, reason == NULL ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
		reason == NULL ? "ok" : reason);
}

err_t ops_start(
	struct ops **out, const char *listen, const char *(*ready)(void *context), void *context)
{
	struct sockaddr_storage address;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD;
	struct ops *ops;

	if (endpoint_parse(listen, &address) != OK) {
		log_error("ops_listen", "listen=%s error=\"not an address and port\"",
			log_value(listen));
		return ERR_INVALID_ARGUMENT;
	}
	if (address.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	ops = xcalloc(1, sizeof(*ops));
	ops->ready = ready;
	ops->context = context;
	ops->daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle, ops, MHD_OPTION_SOCK_ADDR,
		(struct sockaddr *)&address, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_END);
	if (ops->daemon == NULL) {
		log_error("ops_listen",
			"listen=%s error=%s action=\"choose a free LANYARD_OPS_LISTEN\"",
			log_value(listen), log_value(strerror(errno)));
		free(ops);
		return ERR_UNAVAILABLE;
	}
	*out = ops;
	return OK;
}

void ops_stop(struct ops *ops)
{
	if (ops == NULL)
		return;
	MHD_stop_daemon(ops->daemon);
	free(ops);
}
