/*
 * http: HTTPS on libmicrohttpd with GnuTLS. Three kinds of thread: libmicrohttpd's event threads
 * call the on_ functions, own workers run `serve`, and one sweeps away connections that are too
 * slow, since libmicrohttpd's own time-out starts again with every byte.
 *
 * An exchange belongs to the event thread of its connection, but from exchange_submit until the
 * worker resumes the connection to that worker; and so while an http_arrival has suspended it.
 */
#include "gateway/http.h"

#include "gateway/arrivals.h"
#include "gateway/crew.h"
#include "gateway/file.h"
#include "gateway/http_arrival.h"
#include "gateway/http_feed.h"
#include "gateway/http_head.h"
#include "gateway/http_tls.h"
#include "gateway/later.h"
#include "gateway/peers.h"
#include "lib/clock.h"
#include "lib/endpoint.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/worker.h"

#include <microhttpd.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENT_THREADS	  2
#define CONNECTIONS_MAX	  4096 /* four times what is a crowd */
#define PER_ADDRESS_MAX	  256
#define CONNECTION_MEMORY (32 * 1024)
#define ANSWER_MS	  5000		     /* from the last byte of a request to its reply */
#define QUEUE_MAX	  1024		     /* requests that wait for a worker */
#define DISCARD_MAX	  HEADERS_LENGTH_MAX /* bytes read of a refused body */
#define SWEEP_MS	  500
#define TLS_PRIORITIES	  "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1:%SERVER_PRECEDENCE"
#define TLS_OLD		  "NORMAL:+VERS-TLS1.0:+VERS-TLS1.1:%SERVER_PRECEDENCE"

enum exchange_state { EXCHANGE_NEW, EXCHANGE_READING, EXCHANGE_SERVING, EXCHANGE_SERVED };

/* One request and its reply. */
struct exchange {
	struct job job;
	struct http_request request;
	struct http_reply reply;
	struct http *http;
	struct MHD_Connection *connection;
	struct peer *peer;
	enum exchange_state state;
	const char *target_end;	     /* in libmicrohttpd's memory */
	size_t body_size;	     /* room at request.body */
	size_t n_read;		     /* bytes of the body so far, also those not kept */
	bool last;		     /* the connection ends with this reply */
	bool counted;		     /* in http.n_open */
	struct http_feed feed;	     /* of a reply with a feed */
	struct http_arrival arrival; /* of one with `arrived` */
};

struct http {
	struct http_options options;
	char *certificate, *key;
	struct http_tls tls;
	struct MHD_Daemon *daemon;
	struct peers *peers;
	struct crew *crew;
	struct feeds *feeds;
	struct arrivals *arrivals;
	struct later *later;
	struct worker *sweeper;
	atomic_bool running; /* from the first moment at which requests are welcome */
	atomic_bool retired; /* connections end with their next reply */

	pthread_mutex_t mutex;	/* guards what follows */
	pthread_cond_t drained; /* n_open has become 0 */
	int n_open;		/* exchanges from exchange_submit to their end */
	bool closed;		/* n_open stays 0 */
};

/* ---- connections ---- */

static void on_connection(void *arg, struct MHD_Connection *connection, void **slot,
	enum MHD_ConnectionNotificationCode code)
{
	struct http *http = arg;
	int fd;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		if (http->certificate != NULL)
			http_tls_prepare(&http->tls, connection, http->options.ask_certificate);
		fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
			     ->connect_fd;
		*slot = peers_add(http->peers, fd,
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
				->client_addr);
	} else {
		peers_remove(http->peers, *slot); /* libmicrohttpd closes the socket after this */
		*slot = NULL;
	}
}

static int64_t sweep(void *arg)
{
	struct http *http = arg;

	peers_sweep(http->peers, clock_ms());
	return SWEEP_MS;
}

/* ---- exchanges: reading ---- */

/* A request line has come. What it returns is the exchange that all later callbacks get. */
static void *on_target(void *arg, const char *target, struct MHD_Connection *connection)
{
	struct http *http = arg;
	struct exchange *exchange = xcalloc(1, sizeof(*exchange));
	struct http_request *request = &exchange->request;

	call_init(&request->call, http->options.bus, "service:gateway", PEERS_STEP_MS);
	request->target = arena_strdup(request->call.arena, target);
	exchange->target_end = target + strlen(target);
	exchange->http = http;
	exchange->connection = connection;
	exchange->peer = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
				 ->socket_context;
	request->origin = peer_origin(exchange->peer);
	request->address = peer_address(exchange->peer);
	request->call.source = request->address;
	peer_step(exchange->peer);
	return exchange;
}

/* False when all was drained: nothing more may be suspended then. */
static bool exchange_count(struct exchange *exchange)
{
	struct http *http = exchange->http;

	pthread_mutex_lock(&http->mutex);
	exchange->counted = !http->closed;
	http->n_open += exchange->counted ? 1 : 0;
	pthread_mutex_unlock(&http->mutex);
	return exchange->counted;
}

static void exchange_uncount(struct exchange *exchange)
{
	struct http *http = exchange->http;

	pthread_mutex_lock(&http->mutex);
	if (exchange->counted && --http->n_open == 0)
		pthread_cond_signal(&http->drained);
	pthread_mutex_unlock(&http->mutex);
}

static void exchange_serve(struct exchange *exchange)
{
	const struct http_options *options = &exchange->http->options;

	if (exchange->reply.again != NULL)
		exchange->reply.again(exchange->reply.context);
	else
		options->serve(options->context, &exchange->request, &exchange->reply);
	if (exchange->reply.again == NULL)
		exchange->state = EXCHANGE_SERVED;
}

/* In a worker. When the connection is resumed, the exchange is its event thread's again. */
static void on_job(struct job *job)
{
	struct exchange *exchange = (struct exchange *)job; /* its first member */
	struct MHD_Connection *connection = exchange->connection;

	if (exchange->state == EXCHANGE_SERVED)
		http_arrival_ask(&exchange->arrival, &exchange->request.call);
	else
		exchange_serve(exchange);
	if (exchange->reply.again != NULL)
		later_put(exchange->http->later, job);
	else
		MHD_resume_connection(connection);
}

/* ---- exchanges: answering ---- */

static struct MHD_Response *make_response(struct exchange *exchange)
{
	struct http_reply *reply = &exchange->reply;

	if (reply->feed != NULL) {
		exchange->feed = (struct http_feed){ .connection = exchange->connection,
			.peer = exchange->peer,
			.feeds = exchange->http->feeds };
		return http_feed_response(&exchange->feed, reply->feed, &exchange->request.call);
	}
	if (reply->arrived == NULL)
		return MHD_create_response_from_buffer(
			reply->body_len, (void *)(uintptr_t)reply->body, MHD_RESPMEM_PERSISTENT);
	exchange->arrival = (struct http_arrival){
		.connection = exchange->connection,
		.reply = reply,
		.arrivals = exchange->http->arrivals,
		.crew = exchange->http->crew,
		.job = &exchange->job,
	};
	return http_arrival_response(&exchange->arrival);
}

static enum MHD_Result exchange_respond(struct exchange *exchange)
{
	/* of every reply that does not say otherwise */
	static const struct http_header usual[] = {
		{ "Cache-Control", "no-store" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Strict-Transport-Security", "max-age=31536000" },
		{ "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'" },
		{ "Referrer-Policy", "no-referrer" },
	};
	struct http_reply *reply = &exchange->reply;
	struct MHD_Response *response = make_response(exchange);
	enum MHD_Result result;

	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		http_reply_add(reply, usual[i].name, usual[i].value);
	for (size_t i = 0; i < reply->n_headers; i++)
		MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
	if (reply->content_type != NULL)
		MHD_add_response_header(response, "Content-Type", reply->content_type);
	if (exchange->last || atomic_load(&exchange->http->retired))
		MHD_add_response_header(response, "Connection", "close");
	peer_step(exchange->peer);
	result = MHD_queue_response(exchange->connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

/* In the event thread: for what needs no other service. */
static enum MHD_Result exchange_refuse(struct exchange *exchange)
{
	exchange->last = true;
	exchange_serve(exchange);
	return exchange_respond(exchange);
}

static enum MHD_Result exchange_submit(struct exchange *exchange)
{
	struct http *http = exchange->http;

	if (crew_waiting(http->crew) >= QUEUE_MAX || !exchange_count(exchange)) {
		http_refuse(&exchange->request, HTTP_UNAVAILABLE, "",
			"expected fewer requests at this time");
		return exchange_refuse(exchange);
	}
	peer_prove(exchange->peer);
	exchange->request.call.deadline_ms = clock_ms() + ANSWER_MS;
	exchange->state = EXCHANGE_SERVING;
	MHD_suspend_connection(exchange->connection);
	crew_put(http->crew, &exchange->job);
	return MHD_YES;
}

/* The headers are there. What is refused now is answered at once, without reading on: where such a
 * request ends is in doubt, or too far away. */
static enum MHD_Result exchange_begin(
	struct exchange *exchange, const char *method, const char *version)
{
	struct http_request *request = &exchange->request;

	request->head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
	request->method = request->head ? MHD_HTTP_METHOD_GET : method;
	if (exchange->http->options.ask_certificate)
		http_tls_read(request, exchange->connection);
	http_head_read(request, exchange->connection, exchange->target_end, version);
	exchange->state = EXCHANGE_READING;
	return request->refused == 0 ? MHD_YES : exchange_refuse(exchange);
}

/* Keeps what fits, and reads on for a while so that a client that only writes hears the reply. */
static enum MHD_Result exchange_read(struct exchange *exchange, const char *data, size_t len)
{
	struct http_request *request = &exchange->request;

	exchange->n_read += len;
	if (exchange->n_read > HTTP_BODY_MAX)
		http_refuse(request, HTTP_CONTENT_TOO_LARGE, "", "the body is too large");
	if (request->refused != 0)
		return exchange->n_read <= DISCARD_MAX ? MHD_YES : MHD_NO;
	if (exchange->n_read > exchange->body_size) {
		char *room;

		exchange->body_size = exchange->n_read * 2;
		room = arena_alloc(request->call.arena, exchange->body_size);
		if (request->body_len > 0)
			memcpy(room, request->body, request->body_len);
		request->body = room;
	}
	memcpy((char *)(uintptr_t)request->body + request->body_len, data, len);
	request->body_len += len;
	return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_len,
	void **slot)
{
	struct exchange *exchange = *slot;
	size_t len = *upload_len;

	(void)arg;
	(void)connection;
	(void)url;
	if (exchange->state == EXCHANGE_NEW)
		return exchange_begin(exchange, method, version);
	if (exchange->state == EXCHANGE_SERVED)
		return exchange_respond(exchange);
	*upload_len = 0;
	if (len > 0)
		return exchange_read(exchange, upload, len);
	return exchange_submit(exchange);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **slot,
	enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *slot;

	(void)arg;
	(void)connection;
	(void)code;
	if (exchange == NULL)
		return;
	peer_step(exchange->peer);
	http_feed_finish(&exchange->feed, exchange->reply.feed);
	exchange_uncount(exchange);
	call_finish(&exchange->request.call);
	free(exchange);
	*slot = NULL;
}

/* ---- start and stop ---- */

/* libmicrohttpd's own words: what keeps it from starting matters, what clients do wrong does not.
 */
__attribute__((format(printf, 2, 0))) static void on_log(
	void *arg, const char *format, va_list args)
{
	struct http *http = arg;
	char text[256];

	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	if (atomic_load(&http->running))
		LOG_THROTTLED(LOG_LEVEL_DEBUG, "http", "text=%s", log_value(text));
	else
		log_error("http", "text=%s", log_value(text));
}

static struct MHD_Daemon *daemon_start(struct http *http, const struct sockaddr_storage *address)
{
	const char *priorities = http->options.old_tls ? TLS_OLD : TLS_PRIORITIES;
	struct MHD_OptionItem tls[] = { { MHD_OPTION_HTTPS_MEM_CERT, 0, http->certificate },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, http->key },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)priorities },
		{ MHD_OPTION_END, 0, NULL } };
	/* With epoll a thread of libmicrohttpd 0.9 spins as long as a handshake lasts. */
	unsigned flags =
		MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;

	if (http->certificate != NULL)
		flags |= MHD_USE_TLS;

	if (address->ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER,
		on_log, http, /* first: it hears of the others */
		MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)address, MHD_OPTION_ARRAY,
		http->certificate != NULL ? tls : &tls[ARRAY_LEN(tls) - 1],
		MHD_OPTION_THREAD_POOL_SIZE, (unsigned)EVENT_THREADS, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		(unsigned)PER_ADDRESS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_URI_LOG_CALLBACK, on_target, http, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, http, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
		MHD_OPTION_END);
}

static void http_free(struct http *http)
{
	worker_stop(http->sweeper);
	arrivals_stop(http->arrivals);
	later_stop(http->later);
	crew_stop(http->crew);
	feeds_stop(http->feeds);
	peers_destroy(http->peers);
	pthread_mutex_destroy(&http->mutex);
	pthread_cond_destroy(&http->drained);
	free(http->certificate);
	free(http->key);
	http_tls_finish(&http->tls);
	free(http);
}

static err_t start(struct http *http)
{
	struct sockaddr_storage address;

	if (endpoint_parse(http->options.listen, &address) != OK) {
		log_error("http_listen", "listen=%s error=\"not an address and port\"",
			log_value(http->options.listen));
		return ERR_INVALID_ARGUMENT;
	}
	if (http->options.certificate_file != NULL) {
		http->certificate = file_read(http->options.certificate_file);
		http->key = file_read(http->options.key_file);
		if (http->certificate == NULL || http->key == NULL)
			return ERR_INVALID_ARGUMENT;
	}
	http_tls_init(&http->tls);
	http->crew = crew_start(http->options.workers, on_job);
	http->feeds = feeds_start(http->options.bus);
	http->arrivals = arrivals_start();
	http->later = later_start(http->crew);
	http->daemon = daemon_start(http, &address);
	if (http->daemon == NULL) {
		log_error("http_listen", "listen=%s error=%s", log_value(http->options.listen),
			log_value(strerror(errno)));
		return ERR_UNAVAILABLE;
	}
	http->sweeper = worker_start(sweep, http);
	atomic_store(&http->running, true);
	return OK;
}

err_t http_open(struct http **out, const struct http_options *options)
{
	struct http *http = xcalloc(1, sizeof(*http));
	err_t err;

	http->options = *options;
	http->peers = peers_create();
	pthread_mutex_init(&http->mutex, NULL);
	pthread_cond_init(&http->drained, NULL);
	if ((err = start(http)) != OK)
		http_free(http);
	else
		*out = http;
	return err;
}

/* False if some exchange is still open when time is over. */
static bool drain(struct http *http, int64_t drain_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += drain_ms / 1000;
	pthread_mutex_lock(&http->mutex);
	while (http->n_open > 0 &&
		pthread_cond_timedwait(&http->drained, &http->mutex, &until) == 0)
		;
	http->closed = http->n_open == 0;
	pthread_mutex_unlock(&http->mutex);
	return http->closed;
}

void http_retire(struct http *http)
{
	atomic_store(&http->retired, true);
}

bool http_close(struct http *http, int64_t drain_ms)
{
	int listener = MHD_quiesce_daemon(http->daemon);

	/* Who comes now is refused at once, by the kernel, and does not wait in vain. */
	shutdown(listener, SHUT_RDWR);
	atomic_store(&http->running, false);
	http_retire(http);
	feeds_end(http->feeds);
	if (!drain(http, drain_ms)) {
		/* libmicrohttpd aborts when it is stopped with suspended connections. */
		log_warn("http_not_drained", "open=%d", http->n_open);
		return false;
	}
	MHD_stop_daemon(http->daemon);
	if (listener >= 0)
		close(listener);
	http_free(http);
	return true;
}
