/*
 * keys: auth.GetKeys, handed to the loop.
 */
#include "dataplane/admit/keys.h"

#include "dataplane/dataplane.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "proto/auth.pb-c.h"

#define REFRESH_MS   30000
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 5000
#define TIMEOUT_MS   5000
#define FIRST_MS     1000

struct delivery {
	struct dataplane *dataplane;
	struct token_keys *keys;
};

static void deliver(void *arg)
{
	struct delivery *delivery = arg;

	verifier_set_keys(delivery->dataplane->verifier, delivery->keys);
	svc_ready(delivery->dataplane->svc, "keys", NULL);
	free(delivery);
}

static err_t fetch(struct call *call, struct token_keys **keys)
{
	const Auth__Empty request = AUTH__EMPTY__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	call->tenant = CALL_FLEET;
	err = bus_call(call, &auth__auth__descriptor, "GetKeys", &request.base, &reply);
	if (err != OK)
		return err;
	return token_keys_create(keys, ((const Auth__KeySet *)reply)->jwks);
}

static void hand_over(struct dataplane *dataplane, struct token_keys *keys)
{
	struct delivery *delivery = xcalloc(1, sizeof(*delivery));

	*delivery = (struct delivery){ dataplane, keys };
	if (loop_post(dataplane->loop, deliver, delivery))
		return;
	token_keys_destroy(keys);
	free(delivery);
}

static int64_t refresh(void *arg)
{
	static int64_t retry_ms = RETRY_MIN_MS; /* there is one worker */
	struct dataplane *dataplane = arg;
	struct token_keys *keys;
	struct call call;
	err_t err;

	call_init(&call, dataplane->bus, DATAPLANE_ACTOR, TIMEOUT_MS);
	err = fetch(&call, &keys);
	if (err != OK) {
		log_warn("keys_not_fetched", "error=%s detail=%s", err_name(err),
			log_value(call.fault.detail));
		retry_ms = retry_ms * 2 < RETRY_MAX_MS ? retry_ms * 2 : RETRY_MAX_MS;
	} else {
		hand_over(dataplane, keys);
		retry_ms = RETRY_MIN_MS;
	}
	call_finish(&call);
	return err == OK ? REFRESH_MS : retry_ms;
}

void keys_first(struct dataplane *dataplane)
{
	struct token_keys *keys;
	struct call call;

	call_init(&call, dataplane->bus, DATAPLANE_ACTOR, FIRST_MS);
	if (fetch(&call, &keys) == OK)
		verifier_set_keys(dataplane->verifier, keys);
	call_finish(&call);
}

void keys_start(struct dataplane *dataplane)
{
	svc_ready(dataplane->svc, "keys", "no keys from auth yet");
	dataplane->keys = worker_start(refresh, dataplane);
}
