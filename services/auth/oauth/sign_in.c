/* sign_in: see sign_in.h, and the methods on sign-ins. */
#include "services/auth/oauth/sign_in.h"

#include "lib/check.h"
#include "services/auth/attempt/attempt.h"
#include "services/auth/oauth/oauth.h"
#include "services/auth/oauth/oauth_store.h"
#include "services/auth/request.h"
#include "services/auth/second_factor/second_factor.h"
#include "services/auth/secret.h"
#include "services/auth/store.h"

#include <string.h>

#define LIFE_S	    (12L * 3600) /* then a person signs in again */
#define ADDRESS_MAX 64
#define AGENT_MAX   256

/* ---- finding ---- */

err_t sign_in_find(struct call *call, const char *text, Auth__SignIn *person)
{
	AUTO_ROWS rows = NULL;
	struct secret secret;
	err_t err;

	if (!secret_read(KEYRING_SIGN_IN, text, NULL, &secret) ||
		strcmp(secret.tenant, call->tenant) != 0)
		return request_unauthenticated(call);
	if ((err = store_sign_in_find(call, secret.id, &rows)) != OK)
		return err;
	if (!secret_matches(&secret, db_count(rows) > 0 ? db_text(rows, 0, "digest") : ""))
		return request_unauthenticated(call);
	db_message(rows, 0, call->arena, &person->base);
	return OK;
}

err_t sign_in_person(struct call *call, const char *secret, Auth__SignIn *person)
{
	err_t err = sign_in_find(call, secret, person);

	if (err != OK)
		return err;
	if (strcmp(person->state, "active") != 0)
		return call_refuse(call, ERR_PERMISSION_DENIED, "user", "account disabled");
	if (*person->needs)
		return call_refuse(
			call, ERR_PERMISSION_DENIED, "sign_in", "the second factor is missing");
	return OK;
}

/* ---- the methods ---- */

/* What a browser calls itself may be any bytes: what is not visible ASCII becomes '?'. */
static const char *agent_text(struct call *call, const char *agent)
{
	char *text = arena_strndup(call->arena, agent, strnlen(agent, AGENT_MAX));

	for (char *at = text; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return text;
}

err_t sign_in_create(struct call *call, const char *user, const char *address, const char *agent,
	Auth__SignIn *reply)
{
	struct secret secret;
	const char *id, *text;
	err_t err = store_new_id(call, &id);

	if (err != OK)
		return err;
	text = secret_create(call->arena, KEYRING_SIGN_IN, call->tenant, id, &secret);
	err = store_sign_in_create(
		call, id, user, secret.digest, address, agent_text(call, agent), LIFE_S, reply);
	reply->secret = (char *)(uintptr_t)text;
	return err;
}

static err_t make(struct call *call, const Auth__SignInRequest *request,
	const struct attempt *attempt, Auth__SignIn *reply)
{
	const char *browser;
	err_t err = attempt_remember_browser(call, attempt, &browser);

	if (err != OK || (err = sign_in_create(call, attempt->id, request->address, request->agent,
				  reply)) != OK)
		return err;
	reply->browser = (char *)(uintptr_t)(browser != NULL ? browser : "");
	return OK;
}

static err_t refuse(Auth__SignIn *reply, uint32_t retry_after_s)
{
	reply->error = retry_after_s > 0 ? "throttled" : "wrong";
	reply->retry_after_s = retry_after_s;
	return OK;
}

err_t create_sign_in(struct call *call, const Auth__SignInRequest *request, Auth__SignIn *reply)
{
	struct attempt attempt;
	struct verdict verdict;
	AUTO_ROWS rows = NULL;
	err_t err;

	if (check_text(call, "user", request->user, 1, REQUEST_NAME_MAX) != OK)
		return refuse(reply, 0);
	if ((err = check_text(call, "address", request->address, 0, ADDRESS_MAX)) != OK ||
		(err = store_person(call, request->user, &rows)) != OK)
		return err;
	attempt = (struct attempt){
		.user = request->user,
		.id = db_count(rows) > 0 ? db_text(rows, 0, "id") : ATTEMPT_NOBODY,
		.hash = db_count(rows) > 0 ? db_text(rows, 0, "password") : "",
		.password = request->password,
		.address = request->address,
		.browser = request->browser,
	};
	if ((err = attempt_password(call, &attempt, &verdict)) != OK)
		return err;
	return verdict.right ? make(call, request, &attempt, reply)
			     : refuse(reply, verdict.retry_after_s);
}

err_t get_sign_in(struct call *call, const Auth__SignInRef *request, Auth__SignIn *reply)
{
	return sign_in_find(call, request->secret, reply);
}

err_t delete_sign_in(struct call *call, const Auth__SignInRef *request, Auth__Empty *reply)
{
	Auth__SignIn person = AUTH__SIGN_IN__INIT;
	err_t err = sign_in_find(call, request->secret, &person);
	bool there;

	(void)reply;
	if (err == ERR_UNAUTHENTICATED)
		return OK;
	return err == OK ? store_sign_in_delete(call, person.id, "", &there) : err;
}

err_t confirm_sign_in(struct call *call, const Auth__ConfirmSignInRequest *request,
	Auth__ConfirmSignInReply *reply)
{
	Auth__SignIn person = AUTH__SIGN_IN__INIT;
	const char *error;
	err_t err = sign_in_find(call, request->secret, &person);

	if (err != OK ||
		(err = second_factor_try(call, person.user_id, request->code, &error)) != OK)
		return err;
	if (error == NULL)
		return store_sign_in_confirm(call, person.id);
	reply->error = (char *)(uintptr_t)error;
	return OK;
}

err_t list_sign_ins(struct call *call, const Auth__OwnListRequest *request, Auth__SignInList *reply)
{
	return store_sign_in_list(call, request, reply);
}

err_t end_sign_in(struct call *call, const Auth__OwnRef *request, Auth__Empty *reply)
{
	bool there;
	err_t err = check_uuid(call, "id", request->id);

	(void)reply;
	if (err != OK ||
		(err = store_sign_in_delete(call, request->id, request->user, &there)) != OK)
		return err;
	return there ? OK
		     : call_refuse(call, ERR_NOT_FOUND, "id", "no sign-in %s here", request->id);
}
