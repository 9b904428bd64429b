/*
 * admit: the decisions about a request.
 */
#include "dataplane/admit/admit.h"

#include "dataplane/admit/await.h"
#include "dataplane/admit/basic.h"
#include "dataplane/admit/credentials.h"
#include "dataplane/dataplane.h"
#include "dataplane/relay/pair.h"
#include "dataplane/trunk/trunks.h"
#include "dataplane/tunnel/box_admit.h"
#include "dataplane/vpnws/peer.h"
#include "lib/clock.h"
#include "lib/l2.h"
#include "lib/log.h"

#include <sodium.h>

#include <stdio.h>
#include <string.h>

#define WAITING_MAX  256
#define NODE_PATH    "/l2/node/" /* and a node's name */
#define LOCATION_MAX 512
#define ELSEWHERE    "This host name is for another tenant or network."

static int refuse(int status, const char **why, const char *text)
{
	*why = text;
	return status;
}

/* A client that can follow goes to the network's home itself; it comes by NODE_PATH then, and is
 * told to go nowhere else. False: it can't, or need not. */
static bool redirect(
	struct dataplane *dataplane, struct http *http, const struct token_claims *claims)
{
	const char *name, *query = http_query_text(http);
	char location[LOCATION_MAX];

	if (!dataplane->redirects || strncmp(http_path(http), NODE_PATH, strlen(NODE_PATH)) == 0)
		return false;
	name = trunks_find_home(dataplane->trunks, claims->tenant, claims->network);
	if (!name || strlen(query) > LOCATION_MAX / 2)
		return false;
	snprintf(location, sizeof(location), "Location: " NODE_PATH "%s%s%s\r\n", name,
		*query != '\0' ? "?" : "", query);
	http_reply(http, 307, location, "", 0);
	return true;
}

/* The network's home is known, as far as can be. */
static void enter(struct dataplane *dataplane, struct http *http, const struct admitted *admitted)
{
	bool batches = http_has_token(http, "Sec-WebSocket-Protocol", L2_PROTOCOL);
	const struct channel_options options = {
		.protocol = batches ? L2_PROTOCOL : NULL,
		.quiet_ms = batches ? 0 : CHANNEL_QUIET_MS,
	};
	struct channel *channel;

	if (batches && redirect(dataplane, http, admitted->claims))
		return;
	if (!batches) { /* vpn-ws-client reads no more of a record at once, and has Nagle on */
		stream_set_record_max(http_stream(http), CHANNEL_RECORD_OLD);
		stream_set_quick_ack(http_stream(http));
	}
	channel = channel_accept(http, &options);
	session_create(dataplane->sessions, channel, admitted->claims, admitted->token, batches);
	channel_open(channel);
}

void admit_session(struct dataplane *dataplane, struct http *http, const struct admitted *admitted)
{
	struct token_claims own = *admitted->claims;
	const char *why;
	unsigned status = peer_apply_headers(&own, http_header(http, PEER_MAC_HEADER),
		http_header(http, PEER_BRIDGE_HEADER), &why);

	if (status == 0 && !host_admits(admitted->host, admitted->claims))
		status = (unsigned)refuse(403, &why, ELSEWHERE);
	if (status != 0)
		http_answer(http, status, why);
	else
		await_home(dataplane, http,
			&(struct admitted){ &own, admitted->token, admitted->host }, enter);
}

/* ---- access tokens ---- */

static int admit_member(struct dataplane *dataplane, struct http *http,
	const struct admitted *admitted, const char **why)
{
	if (!verifier_allows(admitted->claims, "network:attach"))
		return refuse(403, why, "The token does not allow network:attach.");
	if (!session_claims_good(admitted->claims))
		return refuse(403, why, "The token names no network, member or MAC address.");
	admit_session(dataplane, http, admitted);
	return 0;
}

static int admit_pair(struct dataplane *dataplane, struct http *http,
	const struct token_claims *claims, const struct admit_request *request, const char **why)
{
	const struct channel_options options = { 0 };
	struct channel *channel;

	if (!verifier_allows(claims, "pairs:claim"))
		return refuse(403, why, "The token does not allow pairs:claim.");
	if (!host_admits(request->host, claims))
		return refuse(403, why, ELSEWHERE);
	if (*request->nonce == '\0')
		return refuse(400, why, "A pair needs ?nonce=, the same for both ends.");
	if (!crowd_has_room(&dataplane->pairs, stream_address(http_stream(http)),
		    dataplane->pair_per_address))
		return refuse(429, why, "Too many connections for pairs come from this address.");
	channel = channel_accept(http, &options);
	pair_create(dataplane, channel, claims, request->nonce);
	channel_open(channel);
	return 0;
}

/* A key that is not known may be new: the keys are fetched again, and the client comes again. */
static void fetch_keys(struct dataplane *dataplane)
{
	static long long last_s;

	if (log_admit(&last_s))
		worker_wake(dataplane->keys);
}

static int admit_bearer(struct dataplane *dataplane, struct http *http,
	const struct credentials *credentials, const struct admit_request *request,
	const char **why)
{
	struct token_claims claims;
	char token[TOKEN_MAX + 1];
	err_t err = verifier_check(dataplane->verifier, credentials->token, credentials->token_len,
		clock_unix_ms() / 1000, &claims);

	if (err == ERR_UNAVAILABLE)
		return refuse(503, why, "The node has no keys to verify tokens with yet.");
	if (err == ERR_NOT_FOUND)
		fetch_keys(dataplane);
	if (err != OK)
		return refuse(401, why, "The token is not valid.");
	if (request->is_pair)
		return admit_pair(dataplane, http, &claims, request, why);
	snprintf(token, sizeof(token), "%.*s", (int)credentials->token_len, credentials->token);
	return admit_member(
		dataplane, http, &(struct admitted){ &claims, token, request->host }, why);
}

/* ---- device credentials ---- */

static int admit_basic(struct dataplane *dataplane, struct http *http,
	const struct credentials *credentials, const struct admit_request *request,
	const char **why)
{
	int64_t now_ms = clock_ms();
	int status = refused_find(dataplane->refused, request->authorization, "", now_ms);

	if (request->is_pair)
		return refuse(403, why, "A pair is claimed with an access token.");
	if (status == 0)
		status = refused_find(
			dataplane->refused, request->authorization, request->network, now_ms);
	if (status == 401)
		return refuse(401, why, "The device or its secret is not valid.");
	if (status != 0)
		return refuse(status, why, "The device may not attach to this network.");
	if (dataplane->n_waiting >= WAITING_MAX)
		return refuse(503, why, "Too many connections are waiting.");
	basic_create(dataplane, http, credentials, request);
	return 0;
}

/* ---- certificates ---- */

static int admit_certificate(struct dataplane *dataplane, struct http *http,
	const struct admit_request *request, const char **why)
{
	const struct tls *tls = stream_tls(http_stream(http));
	struct certificate certificate;
	struct tls_peer peer;

	if (!tls || !tls_peer(tls, &peer))
		return refuse(401, why,
			"Show an access token, a device's id and secret, or its certificate.");
	if (!certificate_read(&peer, &certificate))
		return refuse(403, why, "The certificate is of no device.");
	if (request->is_pair)
		return refuse(403, why, "A pair is claimed with an access token.");
	if (dataplane->n_waiting >= WAITING_MAX)
		return refuse(503, why, "Too many connections are waiting.");
	basic_create_known(dataplane, http, &certificate, request);
	return 0;
}

/* 0, also when the answer comes later; or the status to refuse it with. */
static int admit(struct dataplane *dataplane, struct http *http,
	const struct admit_request *request, const char **why)
{
	struct credentials credentials;
	int status;

	credentials_parse(request->authorization, &credentials);
	switch (credentials.kind) {
	case CREDENTIALS_BEARER:
		status = admit_bearer(dataplane, http, &credentials, request, why);
		break;
	case CREDENTIALS_BASIC:
		status = admit_basic(dataplane, http, &credentials, request, why);
		break;
	case CREDENTIALS_NONE:
		status = admit_certificate(dataplane, http, request, why);
		break;
	default:
		status = refuse(401, why, "Authorization is malformed.");
	}
	sodium_memzero(&credentials, sizeof(credentials));
	return status;
}

/* ---- the request ---- */

/* By which name it comes, and what it is for: a host's face, or the path. */
static int read_host(const struct dataplane *dataplane, const struct http *http,
	struct admit_request *request, const char **why)
{
	const struct tls *tls = stream_tls(http_stream(http));
	const char *asked = tls ? tls_asked_name(tls) : NULL;
	unsigned status = hosts_find(
		&dataplane->hosts, http_header(http, "Host"), asked, &request->host, why);

	if (status == 0)
		request->is_pair = request->host->face == HOST_ANY
					   ? strcmp(http_path(http), "/pair") == 0
					   : request->host->face == HOST_PAIR;
	return (int)status;
}

static int read_request(struct http *http, struct admit_request *request, const char **why)
{
	const char *authorization = http_header(http, "Authorization");
	int status = (int)channel_check(http, why);

	if (status != 0)
		return status;
	if (!http_query(http, "nonce", request->nonce, sizeof(request->nonce)) ||
		!http_query(http, "network", request->network, sizeof(request->network)))
		return refuse(414, why, "nonce or network is too long or malformed.");
	if (*request->network == '\0')
		snprintf(request->network, sizeof(request->network), "%s", request->host->network);
	if (authorization && strlen(authorization) >= sizeof(request->authorization))
		return refuse(431, why, "Authorization is too long.");
	snprintf(request->authorization, sizeof(request->authorization), "%s",
		authorization ? authorization : "");
	return 0;
}

static void on_asked(void *context, struct http *http)
{
	struct admit_request request = { 0 };
	const char *why;
	int status = read_host(context, http, &request, &why);

	if (status == 0 && request.host->face == HOST_ANY &&
		strcmp(http_path(http), BOX_PATH) == 0) {
		box_admit(context, http);
		return;
	}
	if (status == 0)
		status = read_request(http, &request, &why);
	if (status == 0)
		status = admit(context, http, &request, &why);
	if (status != 0)
		http_answer(http, (unsigned)status, why);
	sodium_memzero(&request, sizeof(request));
}

/* Who answers later has told where it keeps the request. */
static void on_gone(void *context, struct http *http)
{
	struct http **kept = http_owner(http);

	(void)context;
	*kept = NULL;
}

const struct http_face admit_face = {
	.asked = on_asked,
	.gone = on_gone,
};
