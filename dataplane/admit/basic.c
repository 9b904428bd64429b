/*
 * basic: auth.Authenticate, then provision.Attach as the device; the token that comes back is
 * verified like any other, and the request becomes a session.
 */
#include "dataplane/admit/basic.h"

#include "dataplane/dataplane.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "proto/auth.pb-c.h"
#include "proto/provision.pb-c.h"

#include <sodium.h>

#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 5000

struct attempt {
	struct dataplane *dataplane;
	struct http *http; /* NULL: it has gone */

	/* the question */
	char authorization[ADMIT_AUTHORIZATION];
	char network[ADMIT_NETWORK_MAX + 1];
	const struct virtual_host *host;
	char device[UUID_SIZE];
	char secret[CREDENTIALS_SECRET_MAX + 1];
	char tenant[UUID_SIZE]; /* of a certificate, which needs no secret; else "" */

	/* the answer, written by the thread of the calls */
	err_t err;
	bool authenticated;
	char token[TOKEN_MAX + 1];
	char detail[sizeof(((struct fault *)NULL)->detail)];
};

/* ---- in a thread of the pool ---- */

static err_t authenticate(struct call *call, struct attempt *attempt)
{
	Auth__Credential request = AUTH__CREDENTIAL__INIT;
	const ProtobufCMessage *reply;
	const Auth__Principal *principal;
	err_t err;

	request.device = attempt->device;
	request.device_secret = attempt->secret;
	call->tenant = CALL_FLEET;
	err = bus_call(call, &auth__auth__descriptor, "Authenticate", &request.base, &reply);
	if (err != OK)
		return err;
	principal = (const Auth__Principal *)reply;
	call->tenant = principal->tenant;
	call->actor = principal->subject;
	attempt->authenticated = true;
	return OK;
}

/* TLS has verified the certificate. */
static err_t believe(struct call *call, struct attempt *attempt)
{
	call->tenant = attempt->tenant;
	call->actor = arena_printf(call->arena, "device:%s", attempt->device);
	attempt->authenticated = true;
	return OK;
}

static err_t attach(struct call *call, struct attempt *attempt)
{
	Provision__AttachRequest request = PROVISION__ATTACH_REQUEST__INIT;
	const ProtobufCMessage *reply;
	const char *token;
	err_t err;

	request.device = attempt->device;
	request.network = attempt->network;
	err = bus_call(call, &provision__provision__descriptor, "Attach", &request.base, &reply);
	if (err != OK)
		return err;
	token = ((const Provision__Attachment *)reply)->access_token;
	if (strlen(token) > TOKEN_MAX)
		return ERR_INTERNAL;
	snprintf(attempt->token, sizeof(attempt->token), "%s", token);
	return OK;
}

static void ask(void *arg)
{
	struct attempt *attempt = arg;
	struct call call;

	call_init(&call, attempt->dataplane->bus, DATAPLANE_ACTOR, TIMEOUT_MS);
	attempt->err = *attempt->tenant ? believe(&call, attempt) : authenticate(&call, attempt);
	if (attempt->err == OK)
		attempt->err = attach(&call, attempt);
	snprintf(attempt->detail, sizeof(attempt->detail), "%s", call.fault.detail);
	call_finish(&call);
}

/* ---- on the loop ---- */

static void become_session(struct attempt *attempt)
{
	struct dataplane *dataplane = attempt->dataplane;
	struct token_claims claims;

	if (verifier_check(dataplane->verifier, attempt->token, strlen(attempt->token),
		    clock_unix_ms() / 1000, &claims) != OK ||
		!session_claims_good(&claims))
		http_answer(attempt->http, 503, "The token for the session is not valid here.");
	else
		admit_session(dataplane, attempt->http,
			&(struct admitted){ &claims, attempt->token, attempt->host });
}

static bool is_refusal(err_t err)
{
	return err == ERR_UNAUTHENTICATED || err == ERR_PERMISSION_DENIED || err == ERR_NOT_FOUND ||
	       err == ERR_FAILED_PRECONDITION || err == ERR_INVALID_ARGUMENT;
}

static void turn_away(struct attempt *attempt)
{
	struct refused *refused = attempt->dataplane->refused;

	if (!is_refusal(attempt->err)) {
		LOG_THROTTLED(LOG_LEVEL_WARN, "admission_failed", "device=%s error=%s detail=%s",
			attempt->device, err_name(attempt->err), log_value(attempt->detail));
		http_answer(attempt->http, 503, "The node can't ask who you are just now.");
	} else if (attempt->authenticated) {
		if (*attempt->tenant == '\0')
			refused_add(
				refused, attempt->authorization, attempt->network, 403, clock_ms());
		http_answer(attempt->http, 403, attempt->detail);
	} else {
		refused_add(refused, attempt->authorization, "", 401, clock_ms());
		http_answer(attempt->http, 401, "The device or its secret is not valid.");
	}
}

static void on_asked(void *arg)
{
	struct attempt *attempt = arg;

	attempt->dataplane->n_waiting--;
	if (attempt->http && attempt->err == OK)
		become_session(attempt);
	else if (attempt->http)
		turn_away(attempt);
	sodium_memzero(attempt, sizeof(*attempt));
	free(attempt);
}

static struct attempt *attempt_new(
	struct dataplane *dataplane, struct http *http, const struct admit_request *request)
{
	struct attempt *attempt = xcalloc(1, sizeof(*attempt));

	attempt->dataplane = dataplane;
	attempt->http = http;
	attempt->host = request->host;
	memcpy(attempt->authorization, request->authorization, sizeof(attempt->authorization));
	memcpy(attempt->network, request->network, sizeof(attempt->network));
	return attempt;
}

static void begin(struct attempt *attempt)
{
	http_set_owner(attempt->http, &attempt->http);
	attempt->dataplane->n_waiting++;
	loop_work(attempt->dataplane->loop, ask, on_asked, attempt);
}

void basic_create(struct dataplane *dataplane, struct http *http,
	const struct credentials *credentials, const struct admit_request *request)
{
	struct attempt *attempt = attempt_new(dataplane, http, request);

	memcpy(attempt->device, credentials->device, sizeof(attempt->device));
	memcpy(attempt->secret, credentials->secret, sizeof(attempt->secret));
	begin(attempt);
}

void basic_create_known(struct dataplane *dataplane, struct http *http,
	const struct certificate *certificate, const struct admit_request *request)
{
	struct attempt *attempt = attempt_new(dataplane, http, request);

	memcpy(attempt->device, certificate->device, sizeof(attempt->device));
	memcpy(attempt->tenant, certificate->tenant, sizeof(attempt->tenant));
	begin(attempt);
}
