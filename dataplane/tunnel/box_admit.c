/*
 * box_admit: Authorization is "Bearer TOKEN"; ?proxy=2 asks for a header of PROXY protocol in front
 * of each stream.
 */
#include "dataplane/tunnel/box_admit.h"

#include "dataplane/admit/credentials.h"
#include "dataplane/copy.h"
#include "dataplane/dataplane.h"
#include "dataplane/net/channel.h"
#include "dataplane/tunnel/box_link.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "proto/dns.pb-c.h"

#include <sodium.h>

#include <string.h>

#define TIMEOUT_MS  5000
#define WAITING_MAX 256
#define TOKEN_LEN   128
#define TRIES	    3 /* while names change */

struct attempt {
	struct http *http; /* NULL: it has gone */
	struct dataplane *dataplane;
	char token[TOKEN_LEN + 1];
	bool proxy_protocol;
	unsigned n_tries, n_changes; /* when it was asked */
	/* the answer */
	err_t err;
	struct box opened;
	char detail[sizeof(((struct fault *)NULL)->detail)];
};

static unsigned n_changes; /* of names, since the start; the loop's */

void box_admit_changed(void)
{
	n_changes++;
}

/* ---- in a thread of the pool ---- */

static void ask(void *arg)
{
	struct attempt *attempt = arg;
	Dns__TokenRef request = DNS__TOKEN_REF__INIT;
	const ProtobufCMessage *reply;
	struct call call;

	call_init(&call, attempt->dataplane->bus, DATAPLANE_ACTOR, TIMEOUT_MS);
	call.tenant = CALL_FLEET;
	request.token = attempt->token;
	attempt->err = bus_call(&call, &dns__dns__descriptor, "GetTunnel", &request.base, &reply);
	if (attempt->err == OK) {
		const Dns__Tunnel *tunnel = (const Dns__Tunnel *)reply;

		COPY(attempt->opened.registration, tunnel->registration);
		COPY(attempt->opened.tenant, tunnel->tenant);
		COPY(attempt->opened.device, tunnel->device);
		COPY(attempt->opened.name, tunnel->name);
	}
	COPY(attempt->detail, call.fault.detail);
	call_finish(&call);
}

/* ---- on the loop ---- */

static void become_link(struct attempt *attempt)
{
	const struct channel_options options = { .protocol = MUX_PROTOCOL };
	struct channel *channel = channel_accept(attempt->http, &options);

	attempt->opened.admitted_s = clock_unix_ms() / 1000;
	box_link_create(
		attempt->dataplane->boxes, channel, &attempt->opened, attempt->proxy_protocol);
	channel_open(channel);
}

static void turn_away(struct attempt *attempt)
{
	struct http *http = attempt->http;

	switch (attempt->err) {
	case ERR_NOT_FOUND:
		http_answer(http, 401, "The token opens no name.");
		break;
	case ERR_FAILED_PRECONDITION:
		http_answer(http, 403, attempt->detail);
		break;
	default:
		LOG_THROTTLED(LOG_LEVEL_WARN, "tunnel_not_admitted", "error=%s detail=%s",
			err_name(attempt->err), log_value(attempt->detail));
		http_answer(http, 503, "The node can't ask what the token opens just now.");
	}
}

static void on_asked(void *arg);

static void begin(struct attempt *attempt)
{
	attempt->n_tries++;
	attempt->n_changes = n_changes;
	attempt->dataplane->n_waiting++;
	loop_work(attempt->dataplane->loop, ask, on_asked, attempt);
}

static void on_asked(void *arg)
{
	struct attempt *attempt = arg;

	attempt->dataplane->n_waiting--;
	/* A change that came while the answer was on its way may be about this name. */
	if (attempt->http && attempt->err == OK && attempt->n_changes != n_changes &&
		attempt->n_tries < TRIES) {
		begin(attempt);
		return;
	}
	if (attempt->http && attempt->n_changes != n_changes)
		attempt->err = ERR_UNAVAILABLE;
	if (attempt->http && attempt->err == OK)
		become_link(attempt);
	else if (attempt->http)
		turn_away(attempt);
	sodium_memzero(attempt, sizeof(*attempt));
	free(attempt);
}

/* 0, or the status to refuse it with. */
static unsigned read_request(const struct http *http, struct attempt *attempt, const char **why)
{
	const char *authorization = http_header(http, "Authorization");
	struct credentials credentials;
	char proxy[4];
	unsigned status = channel_check(http, why);

	if (status != 0)
		return status;
	*why = "The subprotocol " MUX_PROTOCOL " is spoken here.";
	if (!http_has_token(http, "Sec-WebSocket-Protocol", MUX_PROTOCOL))
		return 400;
	*why = "proxy is 2 or left out.";
	if (!http_query(http, "proxy", proxy, sizeof(proxy)) ||
		(*proxy != '\0' && strcmp(proxy, "2") != 0))
		return 400;
	attempt->proxy_protocol = *proxy != '\0';
	*why = "Show the token of a registered name as Bearer.";
	credentials_parse(authorization ? authorization : "", &credentials);
	if (credentials.kind != CREDENTIALS_BEARER || credentials.token_len > TOKEN_LEN) {
		sodium_memzero(&credentials, sizeof(credentials));
		return 401;
	}
	COPY(attempt->token, credentials.token);
	return 0;
}

void box_admit(struct dataplane *dataplane, struct http *http)
{
	struct attempt *attempt = xcalloc(1, sizeof(*attempt));
	const char *why = "Too many connections are waiting.";
	unsigned status = 503;

	if (dataplane->n_waiting < WAITING_MAX)
		status = read_request(http, attempt, &why);
	if (status != 0) {
		free(attempt);
		http_answer(http, status, why);
		return;
	}
	attempt->dataplane = dataplane;
	attempt->http = http;
	http_set_owner(http, &attempt->http);
	begin(attempt);
}
