/*
 * front: see front.h. Until the ClientHello is whole a connection owns nothing but its stream.
 */
#include "dataplane/tunnel/front.h"

#include "dataplane/admit/admit.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/pagekite/handshake.h"
#include "dataplane/pagekite/kite_admit.h"
#include "dataplane/tunnel/challenge.h"
#include "dataplane/tunnel/visitor.h"
#include "lib/endpoint.h"
#include "lib/mem.h"

#include <string.h>

#define HELLO_MS 5000 /* for all of the ClientHello */

struct front {
	struct dataplane *dataplane;
	const struct front_settings *settings;
	struct listener *tls, *http;
};

/* ---- names ---- */

/* The next name of a list; false: there is none. */
static bool next_name(const char **list, const char **name, size_t *len)
{
	*name = *list + strspn(*list, ", ");
	*len = strcspn(*name, ", ");
	*list = *name + *len;
	return *len > 0;
}

static bool has_name(const char *list, const char *wanted)
{
	const char *name;
	size_t len;

	while (next_name(&list, &name, &len))
		if (strlen(wanted) == len && strncasecmp(name, wanted, len) == 0)
			return true;
	return false;
}

static err_t check_names(const char *setting, const char *list, struct fault *fault)
{
	char host[HELLO_NAME_MAX];
	const char *name;
	size_t len;

	while (next_name(&list, &name, &len))
		if (!hello_host(name, len, host) || strlen(host) != len)
			return fault_set(fault, ERR_INVALID_ARGUMENT, setting,
				"expected host names without a last dot, separated by commas");
	return OK;
}

err_t front_check(const struct front_settings *settings, bool tls, struct fault *fault)
{
	struct sockaddr_storage address;
	socklen_t len;
	err_t err;

	if ((err = check_names("LANYARD_TUNNEL_VPN_NAMES", settings->vpn_names, fault)) != OK ||
		(err = check_names("LANYARD_TUNNEL_API_NAMES", settings->api_names, fault)) != OK)
		return err;
	if (*settings->vpn_names != '\0' && !tls)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_TUNNEL_VPN_NAMES",
			"needs TLS: set LANYARD_TLS_CERT and LANYARD_TLS_KEY");
	if (*settings->api_names != '\0' && endpoint_parse_any(settings->api, &address, &len) != OK)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_TUNNEL_API",
			"expected ADDRESS:PORT for LANYARD_TUNNEL_API_NAMES");
	return OK;
}

/* ---- the door for TLS ---- */

static void serve_own(struct front *front, struct stream *stream)
{
	counter_add(COUNTER_VISITORS + OUTCOME_OWN, 1);
	stream_set_timer(stream, STREAM_OPENING_MS);
	http_create(stream, &admit_face, front->dataplane);
	stream_secure(stream, identity_tls(front->dataplane->identity));
}

static void serve_name(struct front *front, struct stream *stream, const char *name)
{
	const struct front_settings *settings = front->settings;

	if (has_name(settings->vpn_names, name))
		serve_own(front, stream);
	else if (has_name(settings->api_names, name))
		visitor_pass(front->dataplane, stream, settings->api, settings->api_proxy_protocol);
	else
		visitor_create(
			front->dataplane, stream, &(struct visit){ .kind = MUX_TLS, .name = name });
}

static size_t on_received(struct stream *stream, const struct stream_bytes *bytes)
{
	struct front *front = stream_owner(stream);
	struct dataplane *dataplane = front->dataplane;
	char name[HELLO_NAME_MAX];

	if (front->settings->pagekite && handshake_begins(bytes->data, bytes->len)) {
		kite_admit(dataplane, stream);
		return 0;
	}
	switch (hello_read(bytes->data, bytes->len, name)) {
	case HELLO_MORE:
		break;
	case HELLO_NAME:
		serve_name(front, stream, name);
		break;
	case HELLO_NO_NAME:
		visitor_refuse(dataplane, stream, MUX_TLS, OUTCOME_NO_NAME);
		break;
	case HELLO_HTTP:
		visitor_refuse(dataplane, stream, MUX_HTTP, OUTCOME_NOT_TLS);
		break;
	case HELLO_GARBAGE:
		visitor_refuse(dataplane, stream, MUX_TLS, OUTCOME_NOT_TLS);
		break;
	case HELLO_TOO_LONG:
		visitor_refuse(dataplane, stream, MUX_TLS, OUTCOME_TOO_LONG);
		break;
	}
	return 0; /* the ClientHello is for whoever serves it */
}

static void on_timer(struct stream *stream)
{
	counter_add(COUNTER_VISITORS + OUTCOME_TOO_SLOW, 1);
	stream_close(stream);
}

static const struct stream_face face = {
	.received = on_received,
	.timer = on_timer,
};

static void on_accepted(void *context, struct stream *stream)
{
	stream_set_timer(stream, HELLO_MS);
	stream_set_face(stream, &face, context);
}

/* ---- the door for HTTP ---- */

static void on_http_asked(void *context, struct http *http)
{
	struct front *front = context;

	challenge_serve(front->dataplane, http);
}

static const struct http_face http_face = { .asked = on_http_asked };

static void on_http_accepted(void *context, struct stream *stream)
{
	http_create(stream, &http_face, context);
}

/* ---- life ---- */

static err_t open_door(struct front *front, struct listener **out, const char *listen,
	void (*accepted)(void *context, struct stream *stream))
{
	const struct listener_options options = {
		.loop = loop_uv(front->dataplane->loop),
		.door = { .listen = listen },
		.streams = front->dataplane->streams,
		.proxies = &front->dataplane->proxies,
		.accepted = accepted,
		.context = front,
	};

	return *listen != '\0' ? listener_open(out, &options) : OK;
}

err_t front_open(
	struct front **out, struct dataplane *dataplane, const struct front_settings *settings)
{
	struct front *front = xcalloc(1, sizeof(*front));
	err_t err;

	*out = front;
	front->dataplane = dataplane;
	front->settings = settings;
	err = open_door(front, &front->tls, settings->listen, on_accepted);
	return err == OK ? open_door(front, &front->http, settings->http_listen, on_http_accepted)
			 : err;
}

void front_close(struct front *front)
{
	if (!front)
		return;
	listener_close(front->tls);
	listener_close(front->http);
	front->tls = front->http = NULL;
}

void front_destroy(struct front *front)
{
	free(front);
}
