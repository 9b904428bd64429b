/*
 * own_password: a person changes the password in the browser: all other browsers are signed out,
 * and the tokens that the person has end. Runs in the thread of the call.
 */
#include "services/auth/oauth/oauth.h"

#include "services/auth/attempt/attempt.h"
#include "services/auth/oauth/oauth_store.h"
#include "services/auth/oauth/sign_in.h"
#include "services/auth/password.h"
#include "services/auth/user.h"

static err_t refuse(Auth__ChangePasswordReply *reply, const char *error, const char *description)
{
	reply->error = (char *)(uintptr_t)error;
	reply->error_description = (char *)(uintptr_t)description;
	return OK;
}

/* Is it the present password of the person? */
static err_t check_present(struct call *call, const Auth__SignIn *person, const char *password,
	struct verdict *verdict)
{
	struct attempt attempt = { .user = person->user,
		.id = person->user_id,
		.password = password,
		.address = person->address,
		.browser = "" };
	AUTO_ROWS rows = NULL;
	err_t err = store_person(call, person->user, &rows);

	if (err != OK)
		return err;
	attempt.hash = db_count(rows) > 0 ? db_text(rows, 0, "password") : "";
	return attempt_password(call, &attempt, verdict);
}

err_t change_password(struct call *call, const Auth__ChangePasswordRequest *request,
	Auth__ChangePasswordReply *reply)
{
	Auth__SignIn person = AUTH__SIGN_IN__INIT;
	struct verdict verdict;
	err_t err = sign_in_person(call, request->sign_in, &person);

	if (err != OK || (err = check_present(call, &person, request->password, &verdict)) != OK)
		return err;
	if (verdict.retry_after_s > 0)
		return refuse(reply, "throttled", "there were too many wrong passwords");
	if (!verdict.right)
		return refuse(reply, "password", "this is not the password");
	err = password_check(call, "new_password", person.user, request->new_password);
	if (err == ERR_INVALID_ARGUMENT)
		return refuse(reply, "new_password", arena_strdup(call->arena, call->fault.detail));
	if (err != OK ||
		(err = user_set_password(call, person.user_id, request->new_password)) != OK)
		return err;
	return store_sign_in_delete_others(call, person.user_id, person.id);
}
