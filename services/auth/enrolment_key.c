/*
 * enrolment_key: secrets that let new devices join a tenant. Runs in the thread of the call.
 */
#include "lib/check.h"
#include "services/auth/handlers.h"
#include "services/auth/request.h"
#include "services/auth/revocation.h"
#include "services/auth/secret.h"
#include "services/auth/store.h"

#include <string.h>

#define TAGS_MAX 16

static err_t check_create(struct call *call, const Auth__CreateEnrolmentKeyRequest *request)
{
	err_t err;

	if ((err = request_check_name(call, request->name)) != OK)
		return err;
	if (*request->network && (err = check_uuid(call, "network", request->network)) != OK)
		return err;
	if (request->n_tags > TAGS_MAX)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "tags", "expected at most %d tags", TAGS_MAX);
	for (size_t i = 0; i < request->n_tags; i++)
		if ((err = check_label(call, "tags", request->tags[i])) != OK)
			return err;
	return OK;
}

err_t create_enrolment_key(struct call *call, const Auth__CreateEnrolmentKeyRequest *request,
	Auth__EnrolmentKey *reply)
{
	Auth__EnrolmentKey key = AUTH__ENROLMENT_KEY__INIT;
	struct secret secret;
	const char *id, *text;
	err_t err;

	if ((err = check_create(call, request)) != OK || (err = store_new_id(call, &id)) != OK)
		return err;
	text = secret_create(call->arena, KEYRING_ENROLMENT_KEY, call->tenant, id, &secret);
	key.id = secret.id;
	key.name = request->name;
	key.network = request->network;
	key.n_tags = request->n_tags;
	key.tags = request->tags;
	key.max_uses = request->max_uses;
	key.approve = request->approve;
	err = store_enrolment_key_create(call, &key, request->expires_in_s, secret.digest, reply);
	reply->secret = (char *)(uintptr_t)text;
	return err;
}

err_t get_enrolment_key(struct call *call, const Auth__Ref *request, Auth__EnrolmentKey *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err == OK ? store_enrolment_key_get(call, request->id, reply) : err;
}

err_t list_enrolment_keys(
	struct call *call, const Auth__ListRequest *request, Auth__EnrolmentKeyList *reply)
{
	err_t err = request_check_list(call, request);

	return err == OK ? store_enrolment_key_list(call, request, reply) : err;
}

err_t revoke_enrolment_key(struct call *call, const Auth__Ref *request, Auth__EnrolmentKey *reply)
{
	err_t err;

	if ((err = check_uuid(call, "id", request->id)) != OK ||
		(err = store_enrolment_key_lock(call, request->id, reply)) != OK ||
		(err = request_check_version(call, request->version, reply->version)) != OK ||
		strcmp(reply->state, "revoked") == 0)
		return err;
	if ((err = store_enrolment_key_revoke(call, request->id, reply)) != OK)
		return err;
	/* Clients of nymea may wait, or be paired, with it. */
	return revocation_publish(call, arena_printf(call->arena, "enrolment_key:%s", request->id),
		"enrolment key revoked");
}

err_t redeem_enrolment_key(
	struct call *call, const Auth__RedeemEnrolmentKeyRequest *request, Auth__Grant *reply)
{
	AUTO_ROWS rows = NULL;
	struct secret secret;
	err_t err;

	if (!secret_read(KEYRING_ENROLMENT_KEY, request->secret, NULL, &secret))
		return request_unauthenticated(call);
	err = store_enrolment_key_digest(call, secret.tenant, secret.id, &rows);
	if (err != OK)
		return err;
	if (!secret_matches(&secret, db_count(rows) > 0 ? db_text(rows, 0, "digest") : ""))
		return request_unauthenticated(call);
	err = store_enrolment_key_use(
		call, secret.tenant, secret.id, request->check_only ? "0" : "1", reply);
	return err == ERR_NOT_FOUND ? request_unauthenticated(call) : err;
}
