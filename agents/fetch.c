/* fetch: see fetch.h. */
#include "agents/fetch.h"

#include "agents/reply.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <curl/curl.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 10000L
#define TIMEOUT_MS	   20000L

struct fetcher {
	struct loop *loop;
	const struct proxy *proxy;
	CURLM *multi;
	struct loop_timer timer; /* curl's */
};

struct fetch {
	struct fetcher *fetcher; /* NULL: fetch_post_now */
	CURL *easy;
	struct curl_slist *headers;
	char curl_says[CURL_ERROR_SIZE];
	char *body;
	size_t len;
	void (*done)(void *context, const struct fetch_reply *reply); /* of a request */
	void (*connected)(void *context, int fd, const struct fault *fault);
	void *context;
};

/* ---- one transfer ---- */

static size_t on_body(char *data, size_t size, size_t n, void *context)
{
	struct fetch *fetch = context;

	n *= size;
	if (n > REPLY_MAX - fetch->len)
		return 0; /* ends the transfer with CURLE_WRITE_ERROR */
	memcpy(fetch->body + fetch->len, data, n);
	fetch->len += n;
	return n;
}

/* curl_easy_setopt fails for lack of memory only: these options are all built in. */
#define SET(fetch, option, value)                                                                  \
	do {                                                                                       \
		if (curl_easy_setopt((fetch)->easy, option, value) != CURLE_OK)                    \
			BUG("curl refuses " #option);                                              \
	} while (0)

static struct fetch *fetch_create(struct fetcher *fetcher, void *context)
{
	struct fetch *fetch = xcalloc(1, sizeof(*fetch));

	fetch->fetcher = fetcher;
	fetch->context = context;
	fetch->easy = curl_easy_init();
	if (fetch->easy == NULL)
		BUG("curl_easy_init");
	SET(fetch, CURLOPT_PRIVATE, fetch);
	SET(fetch, CURLOPT_ERRORBUFFER, fetch->curl_says);
	SET(fetch, CURLOPT_NOSIGNAL, 1L);
	SET(fetch, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	SET(fetch, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	return fetch;
}

/* curl heeds no_proxy by itself. */
static void set_proxy(struct fetch *fetch, const struct proxy *proxy, bool secure)
{
	const char *url = proxy_url(proxy, secure);

	SET(fetch, CURLOPT_PROXY, url != NULL ? url : "");
	SET(fetch, CURLOPT_HTTPPROXYTUNNEL, 1L);
	SET(fetch, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (proxy->credentials[0] != '\0')
		SET(fetch, CURLOPT_PROXYUSERPWD, proxy->credentials);
}

static void fetch_destroy(struct fetch *fetch)
{
	curl_easy_cleanup(fetch->easy);
	curl_slist_free_all(fetch->headers);
	free(fetch->body);
	free(fetch);
}

static void add_header(struct fetch *fetch, const char *line)
{
	struct curl_slist *headers = curl_slist_append(fetch->headers, line);

	if (headers == NULL)
		BUG("out of memory");
	fetch->headers = headers;
}

static void set_request(struct fetch *fetch, const struct fetch_request *request)
{
	fetch->body = xmalloc(REPLY_MAX + 1);
	add_header(fetch, "Accept: application/json, application/problem+json");
	if (request->body != NULL) {
		add_header(fetch, "Content-Type: application/json");
		SET(fetch, CURLOPT_COPYPOSTFIELDS, request->body);
	}
	if (request->idempotency_key != NULL) {
		AUTO_FREE char *line = xasprintf("Idempotency-Key: %s", request->idempotency_key);

		add_header(fetch, line);
	}
	SET(fetch, CURLOPT_URL, request->url);
	SET(fetch, CURLOPT_PROTOCOLS_STR, "https");
	SET(fetch, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(fetch, CURLOPT_USERAGENT, "lanyard/" LANYARD_VERSION);
	SET(fetch, CURLOPT_HTTPHEADER, fetch->headers);
	SET(fetch, CURLOPT_WRITEFUNCTION, on_body);
	SET(fetch, CURLOPT_WRITEDATA, fetch);
	if (request->fresh) {
		SET(fetch, CURLOPT_FRESH_CONNECT, 1L);
		SET(fetch, CURLOPT_FORBID_REUSE, 1L);
	}
	if (request->user != NULL) {
		SET(fetch, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		SET(fetch, CURLOPT_USERNAME, request->user);
		SET(fetch, CURLOPT_PASSWORD, request->password);
	}
	if (request->bearer != NULL) {
		SET(fetch, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		SET(fetch, CURLOPT_XOAUTH2_BEARER, request->bearer);
	}
	if (request->ca_pem != NULL) { /* beside the system's, which are its CAPATH */
		struct curl_blob blob = { (void *)request->ca_pem, strlen(request->ca_pem),
			CURL_BLOB_COPY };

		SET(fetch, CURLOPT_CAINFO_BLOB, &blob);
	}
}

/* What curl's result means, in a sentence that says what to do where there is something to do. */
static void explain(struct fetch *fetch, CURLcode code, struct fault *fault)
{
	const char *what =
		fetch->curl_says[0] != '\0' ? fetch->curl_says : curl_easy_strerror(code);

	if (code == CURLE_WRITE_ERROR)
		fault_set(fault, ERR_UNAVAILABLE, "", "the reply is over %d bytes", REPLY_MAX);
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		fault_set(fault, ERR_UNAVAILABLE, "",
			"the server's certificate is not trusted (%.120s): enroll with --ca FILE, "
			"or set "
			"the clock",
			what);
	else if (code == CURLE_PROXY || code == CURLE_COULDNT_RESOLVE_PROXY)
		fault_set(fault, ERR_UNAVAILABLE, "", "the proxy does not let us through: %.180s",
			what);
	else if (code == CURLE_SSL_CACERT_BADFILE)
		fault_set(
			fault, ERR_UNAVAILABLE, "", "the file of --ca holds no certificate in PEM");
	else
		fault_set(fault, ERR_UNAVAILABLE, "", "%.200s", what);
}

static void read_reply(struct fetch *fetch, CURLcode code, struct fetch_reply *reply)
{
	long status = 0;

	curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
	fetch->body[fetch->len] = '\0';
	*reply = (struct fetch_reply){
		.status = (unsigned)status, .body = fetch->body, .len = fetch->len
	};
	if (code == CURLE_OK)
		return;
	reply->err = ERR_UNAVAILABLE;
	explain(fetch, code, &reply->fault);
}

/* ---- transfers on the loop ---- */

static void finish(struct fetch *fetch, CURLcode code)
{
	struct fetch_reply reply = { 0 };
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (fetch->done != NULL) {
		read_reply(fetch, code, &reply);
		curl_multi_remove_handle(fetch->fetcher->multi, fetch->easy);
		fetch->done(fetch->context, &reply);
	} else {
		if (code == CURLE_OK)
			curl_easy_getinfo(fetch->easy, CURLINFO_ACTIVESOCKET, &fd);
		if (fd != CURL_SOCKET_BAD)
			fd = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* curl closes its own */
		explain(fetch, code, &reply.fault);
		curl_multi_remove_handle(fetch->fetcher->multi, fetch->easy);
		fetch->connected(fetch->context, fd, &reply.fault);
	}
	fetch_destroy(fetch);
}

static void finish_all(struct fetcher *fetcher)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(fetcher->multi, &left)) != NULL) {
		struct fetch *fetch = NULL;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &fetch);
		finish(fetch, message->data.result);
	}
}

static void act(struct fetcher *fetcher, curl_socket_t fd, int events)
{
	int running;

	if (curl_multi_socket_action(fetcher->multi, fd, events, &running) != CURLM_OK)
		BUG("curl_multi_socket_action");
	finish_all(fetcher);
}

/* One of curl's sockets. What is watched is a copy of its descriptor: of two addresses of a name
 * that are tried, curl 7.88 closes the loser before it takes that back, and the number may be
 * another's. */
struct socket {
	struct fetcher *fetcher;
	curl_socket_t fd;	 /* curl's */
	struct loop_watch watch; /* our copy */
};

static void on_ready(void *context, uint32_t events)
{
	struct socket *socket = context;
	int action = (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
		     (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		     (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

	act(socket->fetcher, socket->fd, action);
}

static void watch(struct socket *socket, uint32_t events)
{
	socket->watch.fd = fcntl(socket->fd, F_DUPFD_CLOEXEC, 3);
	if (socket->watch.fd < 0)
		BUG("a descriptor can't be copied: %m");
	loop_add(socket->fetcher->loop, &socket->watch, events);
}

static void unwatch(struct socket *socket)
{
	loop_remove(socket->fetcher->loop, &socket->watch);
	close(socket->watch.fd);
}

/* Is the number still that of the socket which is watched? */
static bool is_watched(const struct socket *socket)
{
	struct stat now, watched;

	return fstat(socket->fd, &now) == 0 && fstat(socket->watch.fd, &watched) == 0 &&
	       now.st_dev == watched.st_dev && now.st_ino == watched.st_ino;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *of_socket)
{
	struct fetcher *fetcher = context;
	struct socket *socket = of_socket;
	uint32_t events =
		(what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		unwatch(socket);
		free(socket);
	} else if (socket == NULL) {
		socket = xcalloc(1, sizeof(*socket));
		*socket = (struct socket){ fetcher, fd, { -1, on_ready, socket } };
		watch(socket, events);
		curl_multi_assign(fetcher->multi, fd, socket);
	} else if (is_watched(socket)) {
		loop_change(fetcher->loop, &socket->watch, events);
	} else {
		unwatch(socket);
		watch(socket, events);
	}
	return 0;
}

static void on_timeout(void *context)
{
	act(context, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct fetcher *fetcher = context;

	(void)multi;
	if (timeout_ms < 0)
		loop_clear_timer(fetcher->loop, &fetcher->timer);
	else
		loop_set_timer(fetcher->loop, &fetcher->timer, clock_ms() + timeout_ms);
	return 0;
}

struct fetcher *fetcher_create(struct loop *loop, const struct proxy *proxy)
{
	struct fetcher *fetcher = xcalloc(1, sizeof(*fetcher));

	fetcher->loop = loop;
	fetcher->proxy = proxy;
	fetcher->timer = (struct loop_timer){ .fire = on_timeout, .context = fetcher };
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
		(fetcher->multi = curl_multi_init()) == NULL)
		BUG("no curl");
	curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
	curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
	return fetcher;
}

void fetcher_destroy(struct fetcher *fetcher)
{
	if (fetcher == NULL)
		return;
	curl_multi_cleanup(fetcher->multi);
	loop_clear_timer(fetcher->loop, &fetcher->timer);
	curl_global_cleanup();
	free(fetcher);
}

static void begin(struct fetch *fetch)
{
	if (curl_multi_add_handle(fetch->fetcher->multi, fetch->easy) != CURLM_OK)
		BUG("curl_multi_add_handle");
}

struct fetch *fetch_send(struct fetcher *fetcher, const struct fetch_request *request,
	void (*done)(void *context, const struct fetch_reply *reply), void *context)
{
	struct fetch *fetch = fetch_create(fetcher, context);

	fetch->done = done;
	set_request(fetch, request);
	set_proxy(fetch, fetcher->proxy, true);
	begin(fetch);
	return fetch;
}

struct fetch *fetch_connect(struct fetcher *fetcher, const struct url *url,
	void (*connected)(void *context, int fd, const struct fault *fault), void *context)
{
	struct fetch *fetch = fetch_create(fetcher, context);
	char authority[URL_AUTHORITY_MAX];
	AUTO_FREE char *text = NULL;

	fetch->connected = connected;
	url_authority(url, authority);
	text = xasprintf("http://%s/", authority); /* TCP only; TLS is the session's */
	SET(fetch, CURLOPT_URL, text);
	SET(fetch, CURLOPT_CONNECT_ONLY, 1L);
	set_proxy(fetch, fetcher->proxy, url_is_secure(url));
	begin(fetch);
	return fetch;
}

void fetch_cancel(struct fetch *fetch)
{
	if (fetch == NULL)
		return;
	curl_multi_remove_handle(fetch->fetcher->multi, fetch->easy);
	fetch_destroy(fetch);
}

/* ---- a transfer that blocks ---- */

void fetch_post_now(const struct fetch_request *request, const struct proxy *proxy,
	struct fetch_reply *reply, char **body)
{
	struct fetch *fetch = fetch_create(NULL, NULL);

	set_request(fetch, request);
	set_proxy(fetch, proxy, true);
	read_reply(fetch, curl_easy_perform(fetch->easy), reply);
	*body = fetch->body;
	fetch->body = NULL;
	fetch_destroy(fetch);
}
