/*
 * accept: what the page behind an invitation asks for. Whoever has the link is the invited one;
 * every link that is not good gets the same answer. Runs in the thread of the call.
 */
#include "services/auth/invitation/invitation.h"

#include "services/auth/password.h"
#include "services/auth/secret.h"
#include "services/auth/store.h"

#include <string.h>

/* The open invitation with this secret, of the call's tenant; locked. */
static err_t find(struct call *call, const char *text, struct secret *secret, struct db_rows **rows)
{
	err_t err;

	if (secret_read(KEYRING_INVITATION, text, NULL, secret) &&
		strcmp(secret->tenant, call->tenant) == 0) {
		if ((err = store_invitation_find(call, secret->id, rows)) != OK)
			return err;
		if (db_count(*rows) > 0 && secret_matches(secret, db_text(*rows, 0, "digest")))
			return OK;
	}
	return call_refuse(call, ERR_NOT_FOUND, "secret", "this invitation is not good any more");
}

err_t check_invitation(
	struct call *call, const Auth__InvitationSecret *request, Auth__InvitationOffer *reply)
{
	AUTO_ROWS rows = NULL;
	struct secret secret;
	err_t err = find(call, request->secret, &secret, &rows);

	if (err == OK)
		db_message(rows, 0, call->arena, &reply->base);
	return err;
}

err_t accept_invitation(
	struct call *call, const Auth__AcceptInvitationRequest *request, Auth__User *reply)
{
	AUTO_ROWS rows = NULL;
	char hash[PASSWORD_HASH_LEN];
	struct secret secret;
	err_t err;

	if ((err = find(call, request->secret, &secret, &rows)) != OK ||
		(err = password_check(
			 call, "password", db_text(rows, 0, "name"), request->password)) != OK ||
		(err = password_hash(call, request->password, hash)) != OK ||
		(err = store_user_create(call, db_text(rows, 0, "name"), db_text(rows, 0, "role"),
			 hash, reply)) != OK)
		return err;
	return store_invitation_accepted(call, secret.id);
}
