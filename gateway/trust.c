/*
 * trust: a worker fetches the key set at start, when an event says so and now and then; a request
 * that shows an unknown key id fetches too, but all of them together at most once a second.
 */
#include "gateway/trust.h"

#include "gateway/verified.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/revoked.h"
#include "lib/worker.h"
#include "proto/auth.pb-c.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define FETCH_TIMEOUT_MS 2000
#define FETCH_PAUSE_MS	 1000  /* between two fetches */
#define FETCH_EVERY_MS	 60000 /* even if nothing happened */

struct trust {
	struct svc *svc;
	const char *issuer;
	struct revoked *revoked;

	pthread_mutex_t waking; /* guards worker */
	struct worker *worker;	/* NULL after trust_stop */

	pthread_mutex_t fetching; /* held during a fetch; guards fetched_ms */
	int64_t fetched_ms;	  /* when the last one ended, well or not */

	pthread_rwlock_t lock; /* guards keys and jwks, and that `verified` goes with them */
	struct token_keys *keys;
	char *jwks;
	struct verified *verified;
};

static void keys_replace(struct trust *trust, struct token_keys *keys, char *jwks)
{
	struct token_keys *old_keys;
	char *old_jwks;

	pthread_rwlock_wrlock(&trust->lock);
	old_keys = trust->keys;
	old_jwks = trust->jwks;
	trust->keys = keys;
	trust->jwks = jwks;
	verified_clear(trust->verified);
	pthread_rwlock_unlock(&trust->lock);
	token_keys_destroy(old_keys);
	free(old_jwks);
}

static err_t ask(struct trust *trust, struct call *call)
{
	Auth__Empty request = AUTH__EMPTY__INIT;
	const ProtobufCMessage *reply;
	struct token_keys *keys;
	const char *jwks;
	err_t err;

	call->tenant = CALL_FLEET;
	err = bus_call(call, &auth__auth__descriptor, "GetKeys", &request.base, &reply);
	if (err != OK)
		return err;
	jwks = ((const Auth__KeySet *)reply)->jwks;
	if ((err = token_keys_create(&keys, jwks)) != OK)
		return err;
	keys_replace(trust, keys, xstrdup(jwks));
	svc_ready(trust->svc, "keys", NULL);
	return OK;
}

/* Fetches, unless somebody did within the last `pause_ms`. */
static err_t fetch(struct trust *trust, int64_t pause_ms)
{
	struct call call;
	err_t err = OK;

	pthread_mutex_lock(&trust->fetching);
	if (clock_ms() - trust->fetched_ms >= pause_ms) {
		call_init(&call, svc_bus(trust->svc), "service:gateway", FETCH_TIMEOUT_MS);
		err = ask(trust, &call);
		call_finish(&call);
		trust->fetched_ms = clock_ms();
	}
	pthread_mutex_unlock(&trust->fetching);
	return err;
}

static int64_t work(void *arg)
{
	struct trust *trust = arg;

	revoked_prune(trust->revoked, clock_unix_ms() / 1000 - EVENT_RECENT_S);
	return fetch(trust, 0) == OK ? FETCH_EVERY_MS : FETCH_PAUSE_MS;
}

struct trust *trust_start(struct svc *svc, const char *issuer)
{
	struct trust *trust = xcalloc(1, sizeof(*trust));

	trust->svc = svc;
	trust->issuer = issuer;
	trust->revoked = revoked_create();
	trust->verified = verified_create();
	pthread_mutex_init(&trust->waking, NULL);
	pthread_mutex_init(&trust->fetching, NULL);
	pthread_rwlock_init(&trust->lock, NULL);
	svc_ready(svc, "keys", "auth has not told its signing keys yet");
	trust->worker = worker_start(work, trust);
	return trust;
}

void trust_stop(struct trust *trust)
{
	struct worker *worker;

	pthread_mutex_lock(&trust->waking);
	worker = trust->worker;
	trust->worker = NULL;
	pthread_mutex_unlock(&trust->waking);
	worker_stop(worker);
}

void trust_destroy(struct trust *trust)
{
	if (trust == NULL)
		return;
	keys_replace(trust, NULL, NULL);
	verified_destroy(trust->verified);
	revoked_destroy(trust->revoked);
	pthread_mutex_destroy(&trust->waking);
	pthread_mutex_destroy(&trust->fetching);
	pthread_rwlock_destroy(&trust->lock);
	free(trust);
}

/* The signature, or the memory of it. Under the lock. */
static err_t verify_locked(struct trust *trust, const char *token, struct token_claims *claims)
{
	int64_t now_s = clock_unix_ms() / 1000;
	err_t err;

	if (trust->keys == NULL)
		return ERR_UNAVAILABLE;
	if (verified_find(trust->verified, token, now_s, claims))
		return OK;
	err = token_verify(trust->keys, token, strlen(token), trust->issuer, now_s, claims);
	if (err == OK)
		verified_add(trust->verified, token, claims);
	return err;
}

static err_t verify(struct trust *trust, const char *token, struct token_claims *claims)
{
	err_t err;

	pthread_rwlock_rdlock(&trust->lock);
	err = verify_locked(trust, token, claims);
	pthread_rwlock_unlock(&trust->lock);
	return err;
}

err_t trust_verify(
	struct trust *trust, struct call *call, const char *token, struct token_claims *claims)
{
	err_t err = verify(trust, token, claims);

	if (err == ERR_NOT_FOUND && fetch(trust, FETCH_PAUSE_MS) == OK)
		err = verify(trust, token, claims);
	if (err == ERR_UNAVAILABLE)
		return call_refuse(
			call, err, "", "the keys that tokens are verified with are missing");
	if (err != OK || revoked_has_token(trust->revoked, claims))
		return call_refuse(call, ERR_UNAUTHENTICATED, "Authorization",
			"the access token is not valid or no longer");
	return OK;
}

err_t trust_jwks(struct trust *trust, struct call *call, const char **jwks)
{
	err_t err = OK;

	pthread_rwlock_rdlock(&trust->lock);
	if (trust->jwks != NULL)
		*jwks = arena_strdup(call->arena, trust->jwks);
	else
		err = call_refuse(call, ERR_UNAVAILABLE, "", "there is no key set yet");
	pthread_rwlock_unlock(&trust->lock);
	return err;
}

void trust_revoke(struct trust *trust, const char *subject, int64_t not_before)
{
	revoked_add(trust->revoked, subject, not_before);
}

void trust_refresh(struct trust *trust)
{
	pthread_mutex_lock(&trust->waking);
	if (trust->worker != NULL)
		worker_wake(trust->worker);
	pthread_mutex_unlock(&trust->waking);
}
