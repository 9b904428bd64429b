/* signing_key: see signing_key.h, and the methods GetKeys and RotateKeys. */
#include "services/auth/signing_key.h"

#include "lib/event.h"
#include "lib/keyring.h"
#include "lib/log.h"
#include "lib/token.h"
#include "proto/event.pb-c.h"
#include "services/auth/handlers.h"
#include "services/auth/store.h"

#include <stdbool.h>
#include <string.h>

#define AHEAD_S 600			       /* a key is published so long before it signs */
#define AFTER_S (SIGNING_KEY_TOKEN_MAX_S + 60) /* and so long after it last did */
#define NOW	0

static long rotation_hours; /* set once by signing_key_open */

void signing_key_open(long hours)
{
	rotation_hours = hours;
}

static err_t publish(struct call *call, const char *id)
{
	Event__Keys event = EVENT__KEYS__INIT;

	event.key = (char *)(uintptr_t)id;
	return event_publish(call, "keys", &event.base);
}

/* Makes a key that signs in `ahead_s`. The lock is held. */
static err_t add(struct call *call, int ahead_s)
{
	AUTO_FREE char *private_jwk = NULL;
	AUTO_FREE char *public_jwk = NULL;
	const char *id, *sealed;
	err_t err;

	if ((err = store_new_id(call, &id)) != OK ||
		(err = token_key_generate(id, &private_jwk, &public_jwk)) != OK)
		return err;
	sealed = keyring_seal(call->arena, KEYRING_SIGNING_KEY, private_jwk);
	explicit_bzero(private_jwk, strlen(private_jwk));
	if ((err = store_signing_key_add(call, id, sealed, public_jwk, ahead_s)) != OK)
		return err;
	log_info("signing_key_added", "key=%s signs_in_s=%d", id, ahead_s);
	return publish(call, id);
}

static err_t forget_old(struct call *call)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_signing_key_purge(call, AFTER_S, &rows);

	for (size_t i = 0; err == OK && i < db_count(rows); i++)
		err = publish(call, db_text(rows, i, "id"));
	return err;
}

err_t signing_key_start(struct call *call)
{
	struct signing_key key;
	bool none, due;
	err_t err;

	if ((err = store_signing_key_lock(call)) != OK ||
		(err = store_signing_key_due(call, rotation_hours, AHEAD_S, &none, &due)) != OK)
		return err;
	if (none && (err = add(call, NOW)) != OK)
		return err;
	return signing_key_current(call, &key);
}

err_t signing_key_rotate(struct call *call)
{
	bool none, due;
	err_t err;

	if ((err = store_signing_key_lock(call)) != OK ||
		(err = store_signing_key_due(call, rotation_hours, AHEAD_S, &none, &due)) != OK)
		return err;
	if (due && (err = add(call, none ? NOW : AHEAD_S)) != OK)
		return err;
	return forget_old(call);
}

err_t signing_key_current(struct call *call, struct signing_key *key)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_signing_key_current(call, &rows);

	if (err != OK)
		return err;
	if (db_count(rows) == 0)
		return call_refuse(call, ERR_UNAVAILABLE, NULL, "there is no key to sign with");
	if (keyring_unseal(call->arena, KEYRING_SIGNING_KEY, db_text(rows, 0, "sealed"),
		    &key->private_jwk) != OK) {
		LOG_THROTTLED(LOG_LEVEL_ERROR, "signing_key_unreadable",
			"reason=\"LANYARD_AUTH_KEY_FILE is not the one it was sealed with\"");
		return call_refuse(call, ERR_DATA_LOSS, NULL, "the signing key can't be read");
	}
	key->token_id = arena_strdup(call->arena, db_text(rows, 0, "token"));
	key->now_s = db_int(rows, 0, "now");
	return OK;
}

err_t get_keys(struct call *call, const Auth__Empty *request, Auth__KeySet *reply)
{
	(void)request;
	return store_signing_key_set(call, reply);
}

err_t rotate_keys(struct call *call, const Auth__Empty *request, Auth__KeySet *reply)
{
	err_t err;

	if (strcmp(call->tenant, CALL_FLEET) != 0 && strcmp(call->tenant, FLEET_TENANT) != 0)
		return call_refuse(call, ERR_PERMISSION_DENIED, NULL,
			"only operators of the fleet may do this");
	if ((err = store_signing_key_lock(call)) != OK || (err = add(call, NOW)) != OK)
		return err;
	return get_keys(call, request, reply);
}
