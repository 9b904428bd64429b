/* page: see page.h. Both servers are driven by the loop: each has a descriptor and a timeout. */
#include "agents/expose/page.h"

#include "agents/expose/label.h"
#include "agents/expose/machine.h"
#include "agents/expose/page_text.h"
#include "agents/expose/tickets.h"

#include "lib/clock.h"
#include "lib/endpoint.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <microhttpd.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#define CONNECTIONS  32
#define IDLE_S	     30
#define KEY_MS	     (2 * 60000)  /* to follow a link */
#define SESSION_MS   (30 * 60000) /* to choose a name */
#define COOKIE	     "__Host-lanyard"
#define FORM_MAX     1024
#define ADDRESS_SIZE 32

/* One of the two servers. */
struct site {
	struct page *page;
	struct MHD_Daemon *daemon;
	struct loop_watch watch;
	struct loop_timer timer;
};

struct page {
	struct page_options options;
	struct site local, secure;
	char address[ADDRESS_SIZE]; /* of the secure one */
	struct tickets keys, sessions;
};

/* What is known of a request until it is answered. */
struct form {
	struct MHD_PostProcessor *reader; /* NULL: none */
	size_t len;			  /* of the body so far */
	char name[128];
	size_t name_len;
};

/* ---- replies ---- */

static enum MHD_Result send_reply(
	struct MHD_Connection *connection, unsigned status, struct MHD_Response *response)
{
	enum MHD_Result result;

	MHD_add_response_header(response, "Cache-Control", "no-store");
	/* With no-referrer a browser would not tell the origin of our own form. */
	MHD_add_response_header(response, "Referrer-Policy", "same-origin");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, "Content-Security-Policy", PAGE_STYLE_POLICY);
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/* Takes `html`. */
static enum MHD_Result reply_page(struct MHD_Connection *connection, unsigned status, char *html)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(html), html, MHD_RESPMEM_MUST_FREE);

	MHD_add_response_header(response, "Content-Type", "text/html; charset=utf-8");
	return send_reply(connection, status, response);
}

/* `cookie` NULL: none. */
static enum MHD_Result reply_to(
	struct MHD_Connection *connection, const char *location, const char *cookie)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);

	MHD_add_response_header(response, "Location", location);
	if (cookie != NULL)
		MHD_add_response_header(response, "Set-Cookie", cookie);
	return send_reply(connection, MHD_HTTP_SEE_OTHER, response);
}

static void look(const struct page *page, struct page_view *view)
{
	*view = (struct page_view){ "", false, "", "", "", false, false, "" };
	page->options.look(page->options.context, view);
}

/* ---- in the local network ---- */

static bool is_near(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return info != NULL && machine_is_near(info->client_addr);
}

/* Is the request for a name that only means something here? A page from the internet whose name
 * was made to lead here sends its own. */
static bool is_local_name(const char *host)
{
	char name[256];
	struct in6_addr bytes;
	size_t len;

	if (host == NULL || strlen(host) >= sizeof(name))
		return false;
	if (host[0] == '[')
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(host + 1, "]"), host + 1);
	else
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(host, ":"), host);
	if (inet_pton(AF_INET, name, &bytes) == 1 || inet_pton(AF_INET6, name, &bytes) == 1)
		return true;
	len = strlen(name);
	return strcasecmp(name, "localhost") == 0 ||
	       (len > strlen(".local") && strcasecmp(name + len - strlen(".local"), ".local") == 0);
}

static enum MHD_Result answer_local(struct page *page, struct MHD_Connection *connection)
{
	const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
	char key[TICKET_SIZE];
	AUTO_FREE char *location = NULL;
	struct page_view view;

	if (!is_near(connection) || !is_local_name(host))
		return reply_page(connection, MHD_HTTP_FORBIDDEN, page_text_strange());
	look(page, &view);
	if (!view.mac_ready)
		return reply_page(connection, MHD_HTTP_OK, page_text_wait(&view));
	tickets_make(&page->keys, clock_ms(), KEY_MS, key);
	location = xasprintf("https://%s/?key=%s", view.mac_name, key);
	return reply_to(connection, location, NULL);
}

/* ---- behind the door ---- */

static bool has_session(const struct page *page, struct MHD_Connection *connection)
{
	const char *cookie = MHD_lookup_connection_value(connection, MHD_COOKIE_KIND, COOKIE);

	return cookie != NULL && tickets_has(&page->sessions, clock_ms(), cookie);
}

static enum MHD_Result begin_session(
	struct page *page, struct MHD_Connection *connection, const char *key)
{
	char session[TICKET_SIZE];
	AUTO_FREE char *cookie = NULL;

	if (!tickets_use(&page->keys, clock_ms(), key))
		return reply_page(connection, MHD_HTTP_FORBIDDEN, page_text_strange());
	tickets_make(&page->sessions, clock_ms(), SESSION_MS, session);
	cookie = xasprintf(COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Lax", session);
	return reply_to(connection, "/", cookie);
}

static enum MHD_Result answer_form(const struct page *page, struct MHD_Connection *connection)
{
	const char *refused;
	struct page_view view;

	look(page, &view);
	if (view.label[0] != '\0' && !view.taken)
		return reply_page(connection, MHD_HTTP_OK, page_text_progress(&view));
	refused = view.taken ? "This name is taken or reserved. Please choose another one."
			     : view.problem;
	return reply_page(connection, MHD_HTTP_OK, page_text_form(&view, view.label, refused));
}

/* The form was sent by a page of ours: a browser says whose page it was. */
static bool is_own_form(const struct page_view *view, struct MHD_Connection *connection)
{
	const char *origin = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Origin");
	AUTO_FREE char *own = xasprintf("https://%s", view->mac_name);
	size_t len = strlen(own);

	return origin != NULL && strncmp(origin, own, len) == 0 &&
	       (origin[len] == '\0' || origin[len] == ':');
}

static enum MHD_Result take_form(
	struct page *page, struct MHD_Connection *connection, struct form *form)
{
	char label[LABEL_SIZE];
	struct page_view view;

	look(page, &view);
	if (!has_session(page, connection) || !is_own_form(&view, connection))
		return reply_page(connection, MHD_HTTP_FORBIDDEN, page_text_strange());
	form->name[form->name_len] = '\0';
	if (!label_read(form->name, label))
		return reply_page(connection, MHD_HTTP_BAD_REQUEST,
			page_text_form(&view, form->name, "A name has " LABEL_RULE "."));
	if (view.label[0] == '\0' || view.taken)
		page->options.choose(page->options.context, label);
	return reply_to(connection, "/", NULL);
}

static enum MHD_Result answer_secure(struct page *page, struct MHD_Connection *connection,
	const char *method, const char *url, struct form *form)
{
	const char *key = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "key");

	if (strcmp(method, "POST") == 0 && strcmp(url, "/name") == 0)
		return take_form(page, connection, form);
	if (key != NULL)
		return begin_session(page, connection, key);
	if (!has_session(page, connection))
		return reply_page(connection, MHD_HTTP_FORBIDDEN, page_text_strange());
	if (strcmp(url, "/") != 0)
		return reply_to(connection, "/", NULL);
	return answer_form(page, connection);
}

/* ---- requests ---- */

static enum MHD_Result on_field(void *context, enum MHD_ValueKind kind, const char *key,
	const char *filename, const char *content_type, const char *encoding, const char *data,
	uint64_t offset, size_t size)
{
	struct form *form = context;

	(void)kind, (void)filename, (void)content_type, (void)encoding, (void)offset;
	if (strcmp(key, "name") != 0)
		return MHD_YES;
	if (size > sizeof(form->name) - 1 - form->name_len)
		return MHD_NO;
	memcpy(form->name + form->name_len, data, size);
	form->name_len += size;
	return MHD_YES;
}

static struct form *begin_form(struct MHD_Connection *connection, const char *method)
{
	struct form *form = xcalloc(1, sizeof(*form));

	if (strcmp(method, "POST") == 0)
		form->reader = MHD_create_post_processor(connection, FORM_MAX, on_field, form);
	return form;
}

static enum MHD_Result take_body(struct form *form, const char *upload, size_t *upload_len)
{
	form->len += *upload_len;
	if (form->len > FORM_MAX || form->reader == NULL ||
		MHD_post_process(form->reader, upload, *upload_len) != MHD_YES)
		return MHD_NO;
	*upload_len = 0;
	return MHD_YES;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_len,
	void **state)
{
	struct site *site = arg;
	struct page *page = site->page;

	(void)version;
	if (*state == NULL) {
		*state = begin_form(connection, method);
		return MHD_YES;
	}
	if (*upload_len > 0)
		return take_body(*state, upload, upload_len);
	if (site == &page->local)
		return answer_local(page, connection);
	return answer_secure(page, connection, method, url, *state);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode code)
{
	struct form *form = *state;

	(void)arg, (void)connection, (void)code;
	if (form != NULL && form->reader != NULL)
		MHD_destroy_post_processor(form->reader);
	free(form);
	*state = NULL;
}

/* ---- on the loop ---- */

static void drive(struct site *site)
{
	struct loop *loop = site->page->options.loop;
	MHD_UNSIGNED_LONG_LONG timeout_ms;

	MHD_run(site->daemon);
	if (MHD_get_timeout(site->daemon, &timeout_ms) == MHD_YES)
		loop_set_timer(loop, &site->timer, clock_ms() + (int64_t)timeout_ms);
	else
		loop_clear_timer(loop, &site->timer);
}

static void on_ready(void *context, uint32_t events)
{
	(void)events;
	drive(context);
}

static void on_timer(void *context)
{
	drive(context);
}

static err_t start(struct site *site, struct page *page, const char *listen, struct fault *fault)
{
	unsigned flags = MHD_USE_EPOLL;
	struct sockaddr_storage address;

	if (endpoint_parse(listen, &address) != OK)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "page",
			"--page %.60s: expected ADDRESS:PORT", listen);
	if (address.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	site->page = page;
	site->daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle, site, MHD_OPTION_SOCK_ADDR,
		(struct sockaddr *)&address, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
	if (site->daemon == NULL)
		return fault_set(
			fault, ERR_UNAVAILABLE, "page", "can't listen on %.60s: %m", listen);
	site->watch = (struct loop_watch){
		MHD_get_daemon_info(site->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, on_ready,
		site
	};
	site->timer = (struct loop_timer){ .fire = on_timer, .context = site };
	loop_add(page->options.loop, &site->watch, EPOLLIN);
	drive(site);
	return OK;
}

static void stop(struct site *site)
{
	if (site->daemon == NULL)
		return;
	loop_clear_timer(site->page->options.loop, &site->timer);
	loop_remove(site->page->options.loop, &site->watch);
	MHD_stop_daemon(site->daemon);
}

err_t page_open(struct page **out, const struct page_options *options, struct fault *fault)
{
	struct page *page = xcalloc(1, sizeof(*page));
	err_t err;

	page->options = *options;
	if ((err = start(&page->local, page, options->listen, fault)) != OK ||
		(err = start(&page->secure, page, "127.0.0.1:0", fault)) != OK) {
		page_close(page);
		return err;
	}
	snprintf(page->address, sizeof(page->address), "127.0.0.1:%u",
		MHD_get_daemon_info(page->secure.daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	*out = page;
	return OK;
}

void page_close(struct page *page)
{
	if (page == NULL)
		return;
	stop(&page->local);
	stop(&page->secure);
	free(page);
}

const char *page_address(const struct page *page)
{
	return page->address;
}
