/*
 * connect: what apps of today connect with, by OpenVPN or WireGuard; and the programs of a tenant
 * that fetch it for users. In workers.
 */
#include "gateway/compat/eduvpn/eduvpn.h"

#include "gateway/oauth/site.h"
#include "lib/clock.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#define OPENVPN	      "application/x-openvpn-profile"
#define WIREGUARD     "application/x-wireguard-profile"
#define WIREGUARD_TCP "application/x-wireguard+tcp-profile" /* no profile has it */

/* For a server to let a peer in, and for OpenVPN after that: apps wait for ten seconds. */
#define PEER_MS	   4000
#define INSTEAD_MS 4000

/* ---- the request ---- */

/* Is the media type one of the list, whatever parameters it has? */
static bool accepts(const char *list, const char *type)
{
	size_t len = strlen(type);

	while (*list != '\0') {
		list += strspn(list, " \t,");
		if (strncasecmp(list, type, len) == 0 && strchr(",; \t", list[len]) != NULL)
			return true; /* strchr finds the final NUL too */
		list += strcspn(list, ",");
	}
	return false;
}

/* Who says nothing that is known here takes both. A program that fetches for others has no key of
 * theirs. */
static void read_protocols(struct eduvpn *edu, Provision__ConnectRequest *message)
{
	static const struct {
		const char *type;
		char *protocol;
	} types[] = { { OPENVPN, "openvpn" }, { WIREGUARD, "wireguard" } };
	const char *accept = edu->request->http->headers.accept;
	bool any = accept == NULL || (!accepts(accept, OPENVPN) && !accepts(accept, WIREGUARD) &&
					     !accepts(accept, WIREGUARD_TCP));

	message->protocols =
		arena_alloc(edu->request->call->arena, sizeof(char *) * ARRAY_LEN(types));
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if ((any || accepts(accept, types[i].type)) &&
			(i == 0 || *edu->app.managed == '\0'))
			message->protocols[message->n_protocols++] = types[i].protocol;
}

/* 32 bytes as Base64 has them. */
static bool is_public_key(const char *text)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	return strlen(text) == 44 && strspn(text, letters) == 43 && text[43] == '=' &&
	       strchr("AEIMQUYcgkosw480", text[42]) != NULL;
}

bool eduvpn_refuse_value(struct eduvpn *edu, const char *name)
{
	eduvpn_error(edu, HTTP_BAD_REQUEST, "invalid value for \"%s\"", name);
	return false;
}

/* prefer_tcp is yes or no; apps of 2021 say tcp_only, on or off. False: the reply is made. */
static bool read_prefer_tcp(struct eduvpn *edu, bool *prefer_tcp)
{
	static const struct {
		const char *name, *yes, *no;
	} forms[] = { { "prefer_tcp", "yes", "no" }, { "tcp_only", "on", "off" } };

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		const char *value = form_find(&edu->form, forms[i].name);

		if (value == NULL || strcmp(value, forms[i].no) == 0)
			continue;
		if (strcmp(value, forms[i].yes) != 0)
			return eduvpn_refuse_value(edu, forms[i].name);
		*prefer_tcp = true;
	}
	return true;
}

/* False: the reply is made. */
static bool read_request(struct eduvpn *edu, Provision__ConnectRequest *message)
{
	const char *profile_id = form_find(&edu->form, "profile_id");
	const char *public_key = form_find(&edu->form, "public_key");
	bool prefer_tcp = false;

	if (profile_id == NULL) {
		eduvpn_error(edu, HTTP_BAD_REQUEST, "missing post parameter \"profile_id\"");
		return false;
	}
	if (public_key != NULL && !is_public_key(public_key))
		return eduvpn_refuse_value(edu, "public_key");
	if (!read_prefer_tcp(edu, &prefer_tcp))
		return false;
	read_protocols(edu, message);
	message->public_key = (char *)(uintptr_t)(public_key != NULL ? public_key : "");
	message->app = &edu->app;
	message->profile_id = (char *)(uintptr_t)profile_id;
	message->prefer_tcp = prefer_tcp;
	message->csr = (char *)(uintptr_t)eduvpn_csr(edu);
	return true;
}

/* ---- the reply ---- */

static bool is_wireguard(const Provision__AppConfig *config)
{
	return strcmp(config->protocol, "wireguard") == 0;
}

/* Without a newline at the end: apps look at what the last line ends with. */
static void send_config(
	struct eduvpn *edu, const char *profile_id, const Provision__AppConfig *config)
{
	struct api_request *request = edu->request;
	struct arena *arena = request->call->arena;
	const char *text = config->config;
	time_t end = (time_t)config->expires_at;
	char expires[32], comment[32];
	struct tm utc;

	gmtime_r(&end, &utc);
	strftime(expires, sizeof(expires), "%a, %d %b %Y %H:%M:%S GMT", &utc);
	strftime(comment, sizeof(comment), "%Y-%m-%dT%H:%M:%S+00:00", &utc);
	http_reply_add(request->reply, "Expires", arena_strdup(arena, expires));
	face_reply(request, HTTP_OK, is_wireguard(config) ? WIREGUARD : OPENVPN,
		arena_printf(arena, "# Portal: %s\n# Profile: %s (%s)\n# Expires: %s\n\n%.*s",
			site_url(request, EDUVPN_PORTAL "/"), config->display_name, profile_id,
			comment, (int)strlen(text) - 1, text));
}

/* A refusal of provision in the words that apps know; what has none goes on. */
static err_t translate(struct eduvpn *edu, err_t err)
{
	const char *field = edu->request->call->fault.field;
	const char *detail = edu->request->call->fault.detail;

	if (err == ERR_NOT_FOUND && strcmp(field, "profile_id") == 0)
		eduvpn_error(edu, HTTP_NOT_FOUND, "no such \"profile_id\"");
	else if (err == ERR_INVALID_ARGUMENT && *field != '\0')
		(void)eduvpn_refuse_value(edu, field);
	else if (err == ERR_PERMISSION_DENIED)
		eduvpn_error(edu, HTTP_FORBIDDEN, "%s", detail);
	else if (err == ERR_FAILED_PRECONDITION && strcmp(field, "protocols") == 0)
		eduvpn_error(edu, HTTP_NOT_ACCEPTABLE, "%s", detail);
	else if (strcmp(field, "server") == 0 || strcmp(field, "network") == 0)
		eduvpn_error(edu, HTTP_INTERNAL_ERROR, "/connect failed: %s", detail);
	else
		return err;
	return OK;
}

/* ---- WireGuard ---- */

/* A configuration is good when its server lets the peer in: until then its request waits. */
struct waiting {
	struct api_request request;
	struct eduvpn edu;
	Provision__ConnectRequest message;
	const Provision__AppConfig *config;
	int64_t until_ms;
};

static bool is_peer_set(struct waiting *waiting)
{
	Provision__AppPeerRequest message = PROVISION__APP_PEER_REQUEST__INIT;
	struct call *call = waiting->request.call;
	const char *key = call->idempotency_key;
	const Provision__AppPeer *peer;
	err_t err;

	message.app = &waiting->edu.app;
	message.peer = waiting->config->peer;
	call->idempotency_key = ""; /* the answer changes */
	err = eduvpn_ask(&waiting->edu, "GetAppPeer", &message.base, (const void **)&peer);
	call->idempotency_key = key;
	return err == OK && peer->set;
}

/* The server is slow or gone: what it did not set must not be good later. */
static err_t give_up(struct eduvpn *edu)
{
	const void *nothing;
	err_t err = eduvpn_ask(edu, "DisconnectApp", &edu->app.base, &nothing);

	if (err == OK)
		eduvpn_error(edu, HTTP_INTERNAL_ERROR,
			"/connect failed: the WireGuard server does not answer");
	return err;
}

/* OpenVPN in its place, if app and profile have it. */
static err_t fall_back(struct waiting *waiting)
{
	static char *openvpn[] = { "openvpn" };
	struct eduvpn *edu = &waiting->edu;
	struct call *call = waiting->request.call;
	Provision__ConnectRequest *message = &waiting->message;
	const Provision__AppConfig *config;
	err_t err;

	call->deadline_ms = clock_ms() + INSTEAD_MS;
	if (message->n_protocols == 1)
		return give_up(edu);
	message->protocols = openvpn;
	message->n_protocols = ARRAY_LEN(openvpn);
	call->idempotency_key = call_step_key(call, "openvpn");
	err = eduvpn_ask(edu, "ConnectApp", &message->base, (const void **)&config);
	if (err == ERR_FAILED_PRECONDITION && strcmp(call->fault.field, "protocols") == 0)
		return give_up(edu);
	if (err != OK)
		return translate(edu, err);
	send_config(edu, message->profile_id, config);
	return OK;
}

static void on_again(void *context)
{
	struct waiting *waiting = context;
	err_t err = OK;

	if (is_peer_set(waiting))
		send_config(&waiting->edu, waiting->message.profile_id, waiting->config);
	else if (clock_ms() < waiting->until_ms)
		return;
	else
		err = fall_back(waiting);
	if (err != OK)
		eduvpn_refuse(&waiting->edu, err);
	waiting->request.reply->again = NULL;
	api_note(&waiting->request);
}

static void wait_for_peer(struct eduvpn *edu, const Provision__ConnectRequest *message,
	const Provision__AppConfig *config)
{
	struct http_reply *reply = edu->request->reply;
	struct waiting *waiting = arena_alloc(edu->request->call->arena, sizeof(*waiting));

	*waiting = (struct waiting){ .request = *edu->request,
		.edu = *edu,
		.message = *message,
		.config = config,
		.until_ms = clock_ms() + PEER_MS };
	waiting->edu.request = &waiting->request;
	waiting->message.app = &waiting->edu.app;
	reply->again = on_again;
	reply->context = waiting;
}

/* ---- all of it ---- */

err_t eduvpn_connect(struct eduvpn *edu)
{
	Provision__ConnectRequest message = PROVISION__CONNECT_REQUEST__INIT;
	const Provision__AppConfig *config;
	err_t err;

	if (!read_request(edu, &message))
		return OK;
	err = eduvpn_ask(edu, "ConnectApp", &message.base, (const void **)&config);
	if (err != OK)
		return translate(edu, err);
	if (is_wireguard(config))
		wait_for_peer(edu, &message, config);
	else
		send_config(edu, message.profile_id, config);
	return OK;
}
