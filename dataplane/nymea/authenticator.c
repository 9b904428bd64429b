/*
 * authenticator: access tokens are verified here, enrolment keys are asked of auth; "http" and
 * "aws" ask others (authorizer.c); "mock" lets everyone in.
 */
#include "dataplane/nymea/authenticator.h"

#include "dataplane/dataplane.h"
#include "dataplane/nymea/authorizer.h"
#include "dataplane/nymea/client.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "proto/auth.pb-c.h"

#include <sodium.h>

#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 5000
#define KEY_MAX	   256

#define FAILED	    "AuthenticationErrorAuthenticationFailed"
#define PROXY_ERROR "AuthenticationErrorProxyError"

void authenticator_digest(const char *token, char token_id[72])
{
	unsigned char digest[crypto_generichash_BYTES];

	crypto_generichash(digest, sizeof(digest), (const unsigned char *)token, strlen(token),
		(const unsigned char *)"lanyard pairing token", 21);
	memcpy(token_id, "t:", 2);
	sodium_bin2hex(token_id + 2, 70, digest, sizeof(digest));
}

static void refuse(struct client *client, const char *error)
{
	pairing_authenticated(client, &(struct verdict){ .error = error });
}

/* ---- enrolment keys ---- */

struct question {
	struct dataplane *dataplane;
	char connection[UUID_SIZE];
	char key[KEY_MAX];
	struct verdict verdict;
};

static void ask_auth(void *arg)
{
	struct question *question = arg;
	Auth__RedeemEnrolmentKeyRequest request = AUTH__REDEEM_ENROLMENT_KEY_REQUEST__INIT;
	struct verdict *verdict = &question->verdict;
	const ProtobufCMessage *reply;
	struct call call;
	err_t err;

	call_init(&call, question->dataplane->bus, DATAPLANE_ACTOR, TIMEOUT_MS);
	call.tenant = CALL_FLEET;
	verdict->issued_at = clock_unix_ms() / 1000; /* a later revocation is meant for it */
	request.secret = question->key;
	request.check_only = true;
	err = bus_call(&call, &auth__auth__descriptor, "RedeemEnrolmentKey", &request.base, &reply);
	if (err == OK) {
		const Auth__Grant *grant = (const Auth__Grant *)reply;

		snprintf(verdict->tenant, sizeof(verdict->tenant), "%s", grant->tenant);
		snprintf(verdict->token_id, sizeof(verdict->token_id), "%s", grant->enrolment_key);
		snprintf(verdict->subject, sizeof(verdict->subject), "enrolment_key:%s",
			grant->enrolment_key);
	} else if (err == ERR_UNAVAILABLE || err == ERR_DEADLINE_EXCEEDED) {
		verdict->error = PROXY_ERROR;
		LOG_THROTTLED(LOG_LEVEL_WARN, "enrolment_key_not_checked", "error=%s detail=%s",
			err_name(err), log_value(call.fault.detail));
	} else {
		verdict->error = FAILED;
	}
	call_finish(&call);
}

static void on_asked(void *arg)
{
	struct question *question = arg;
	struct verdict *verdict = &question->verdict;
	struct client *client = client_find(question->dataplane->nymea, question->connection);

	question->dataplane->n_waiting--;
	if (!verdict->error && verifier_has_revoked(question->dataplane->verifier, verdict->subject,
				       verdict->issued_at))
		verdict->error = FAILED;
	if (client)
		pairing_authenticated(client, verdict);
	sodium_memzero(question, sizeof(*question));
	free(question);
}

static void ask_about_key(struct client *client, const char *token)
{
	struct dataplane *dataplane = client->port->nymea->dataplane;
	struct question *question;

	if (strlen(token) >= KEY_MAX || *token == '\0') {
		refuse(client, FAILED);
		return;
	}
	question = xcalloc(1, sizeof(*question));
	question->dataplane = dataplane;
	snprintf(question->connection, sizeof(question->connection), "%s",
		client->guest.relay.end.id);
	snprintf(question->key, sizeof(question->key), "%s", token);
	dataplane->n_waiting++;
	loop_work(dataplane->loop, ask_auth, on_asked, question);
}

/* ---- access tokens ---- */

static void ask_lanyard(struct client *client, const char *token)
{
	struct verdict verdict = { .error = NULL };
	struct token_claims claims;
	err_t err;

	if (!strchr(token, '.')) {
		ask_about_key(client, token);
		return;
	}
	err = verifier_check(client->port->nymea->dataplane->verifier, token, strlen(token),
		clock_unix_ms() / 1000, &claims);
	if (err != OK || !verifier_allows(&claims, "pairs:claim")) {
		refuse(client, err == ERR_UNAVAILABLE ? PROXY_ERROR : FAILED);
		return;
	}
	snprintf(verdict.tenant, sizeof(verdict.tenant), "%s", claims.tenant);
	snprintf(verdict.subject, sizeof(verdict.subject), "%s", claims.subject);
	snprintf(verdict.token_id, sizeof(verdict.token_id), "%s", claims.id);
	verdict.issued_at = claims.issued_at;
	pairing_authenticated(client, &verdict);
}

static void let_in(struct client *client, const char *token)
{
	struct verdict verdict = { .subject = "mock", .user = "dummy@example.com" };

	snprintf(verdict.tenant, sizeof(verdict.tenant), "%s",
		client->port->nymea->settings->tenant);
	authenticator_digest(token, verdict.token_id);
	pairing_authenticated(client, &verdict);
}

void authenticator_ask(struct client *client, const char *token)
{
	struct nymea *nymea = client->port->nymea;

	if (nymea->authorizer)
		authorizer_ask(nymea->authorizer, client, token);
	else if (strcmp(nymea->settings->authenticator, "mock") == 0)
		let_in(client, token);
	else
		ask_lanyard(client, token);
}
