/*
 * device: codes for clients without a browser, and the person who types the short one (RFC 8628).
 * Runs in the thread of the call.
 */
#include "services/auth/oauth/oauth.h"

#include "services/auth/letters.h"
#include "services/auth/oauth/client.h"
#include "services/auth/oauth/oauth_store.h"
#include "services/auth/oauth/sign_in.h"
#include "services/auth/secret.h"
#include "services/auth/store.h"

#include <string.h>

#define LIFE_S	   600
#define INTERVAL_S 5
#define USER_CODE_LEN                                                                              \
	8 /* of 20 letters: 34 bits, for ten minutes, behind the limit of the gateway */

static err_t refuse(Auth__DeviceAuthorization *reply, const char *error, const char *description)
{
	reply->error = (char *)(uintptr_t)error;
	reply->error_description = (char *)(uintptr_t)description;
	return OK;
}

static err_t make(
	struct call *call, struct store_device_code *code, Auth__DeviceAuthorization *reply)
{
	struct secret secret;
	err_t err = store_new_id(call, &code->id);

	if (err != OK)
		return err;
	code->user_code = letters_random(call->arena, USER_CODE_LEN);
	reply->device_code = (char *)(uintptr_t)secret_create(
		call->arena, KEYRING_DEVICE_CODE, call->tenant, code->id, &secret);
	reply->user_code = arena_printf(
		call->arena, "%.4s-%s", code->user_code, code->user_code + USER_CODE_LEN / 2);
	reply->expires_in = LIFE_S;
	reply->interval = INTERVAL_S;
	code->digest = secret.digest;
	return store_device_code_create(call, code, LIFE_S);
}

err_t authorize_device(struct call *call, const Auth__DeviceAuthorizationRequest *request,
	Auth__DeviceAuthorization *reply)
{
	struct oauth_error error = { NULL, NULL };
	struct store_device_code code = { .client_id = request->client_id };
	struct client client;
	err_t err;

	if (*request->client_id == '\0')
		return refuse(reply, "invalid_request", "missing \"client_id\" parameter");
	if ((err = client_authenticate(call, request->client_id, request->basic_user,
		     request->basic_password, &client, &error)) != OK)
		return err;
	if (error.error != NULL)
		return refuse(reply, error.error, error.description);
	if (!client_read_scopes(call, &client, *request->scope ? request->scope : "config",
		    &code.scopes, &code.n_scopes))
		return refuse(reply, "invalid_scope", "invalid \"scope\"");
	return make(call, &code, reply);
}

static err_t find_waiting(struct call *call, const char *text, struct db_rows **rows)
{
	const char *code = letters_read(call->arena, text, USER_CODE_LEN);
	err_t err = store_device_code_waiting(call, code, rows);

	if (err != OK || db_count(*rows) > 0)
		return err;
	return call_refuse(call, ERR_NOT_FOUND, "user_code", "no device waits with this code");
}

err_t check_user_code(
	struct call *call, const Auth__UserCodeRequest *request, Auth__UserCodeCheck *reply)
{
	AUTO_ROWS rows = NULL;
	struct client client;
	bool found;
	err_t err;

	if ((err = find_waiting(call, request->user_code, &rows)) != OK ||
		(err = client_find(call, db_text(rows, 0, "client_id"), &client, &found)) != OK)
		return err;
	db_message(rows, 0, call->arena, &reply->base);
	reply->client_name = found ? client.is.name : "";
	return OK;
}

err_t decide_user_code(
	struct call *call, const Auth__DecideUserCodeRequest *request, Auth__Empty *reply)
{
	Auth__SignIn person = AUTH__SIGN_IN__INIT;
	AUTO_ROWS rows = NULL;
	err_t err;

	(void)reply;
	if ((err = sign_in_person(call, request->sign_in, &person)) != OK ||
		(err = find_waiting(call, request->user_code, &rows)) != OK)
		return err;
	return store_device_code_set(call, db_text(rows, 0, "id"),
		request->approve ? "approved" : "denied", person.user_id);
}
