/* grant: see grant.h. */
#include "services/auth/oauth/grant.h"

#include "services/auth/oauth/authorization.h"
#include "services/auth/oauth/oauth_store.h"

#include <string.h>

err_t grant_error(Auth__TokenReply *reply, const char *error, const char *description)
{
	*reply = (Auth__TokenReply)AUTH__TOKEN_REPLY__INIT;
	reply->error = (char *)(uintptr_t)error;
	reply->error_description = (char *)(uintptr_t)description;
	return OK;
}

err_t grant_invalid_request(Auth__TokenReply *reply, const char *description)
{
	return grant_error(reply, "invalid_request", description);
}

err_t grant_invalid(Auth__TokenReply *reply, const char *description)
{
	return grant_error(reply, "invalid_grant", description);
}

err_t grant_missing(struct call *call, Auth__TokenReply *reply, const char *parameter)
{
	return grant_invalid_request(
		reply, arena_printf(call->arena, "missing \"%s\" parameter", parameter));
}

bool grant_refused(const Auth__TokenReply *reply)
{
	return *reply->error != '\0';
}

err_t grant_find_client(struct call *call, const char *client_id, const Auth__TokenRequest *request,
	struct client *client, Auth__TokenReply *reply)
{
	struct oauth_error error = { NULL, NULL };
	err_t err = client_authenticate(
		call, client_id, request->basic_user, request->basic_password, client, &error);

	if (err != OK || error.error == NULL)
		return err;
	return grant_error(reply, error.error, error.description);
}

bool grant_is_right(struct call *call, const struct secret *secret, const struct db_rows *rows)
{
	return strcmp(secret->tenant, call->tenant) == 0 &&
	       secret_matches(secret, db_count(rows) > 0 ? db_text(rows, 0, "digest") : "");
}

err_t grant_tokens(struct call *call, const char *id, const char *gone, const char **new_id,
	Auth__TokenReply *reply)
{
	AUTO_ROWS row = NULL;
	err_t err = store_authorization_lock(call, id, &row);

	if (err != OK)
		return err;
	if (db_count(row) == 0 || strcmp(db_text(row, 0, "state"), "active") != 0)
		return grant_invalid(reply, gone);
	err = authorization_tokens(call, id, row, new_id, reply);
	return err == ERR_NOT_FOUND ? grant_invalid(reply, gone) : err;
}

err_t grant_begin(struct call *call, const char *id, const struct db_rows *row, const char *gone,
	Auth__TokenReply *reply)
{
	Auth__Authorization code = AUTH__AUTHORIZATION__INIT;
	struct store_authorization authorization = { .id = id };
	const char *new_id;
	err_t err;

	db_message(row, 0, call->arena, &code.base);
	authorization.user = db_text(row, 0, "user_id");
	authorization.client_id = code.client_id;
	authorization.scopes = code.scopes;
	authorization.n_scopes = code.n_scopes;
	err = store_authorization_create(call, &authorization, db_text(row, 0, "session_until"));
	return err == OK ? grant_tokens(call, id, gone, &new_id, reply) : err;
}
