/*
 * named_user: members that a program of their tenant makes and takes away by name. It need not have
 * what a member may: no password lets them in. Runs in the thread of the call.
 */
#include "services/auth/handlers.h"

#include "lib/clock.h"
#include "services/auth/oauth/oauth.h"
#include "services/auth/request.h"
#include "services/auth/store.h"
#include "services/auth/user.h"

#include <string.h>

#define DAY_S (24 * 60 * 60)

/* NULL: there is none. */
static err_t find(struct call *call, char *name, const Auth__User **user)
{
	Auth__ListRequest request = AUTH__LIST_REQUEST__INIT;
	Auth__UserList list = AUTH__USER_LIST__INIT;
	err_t err;

	request.name = name;
	if ((err = request_check_name(call, name)) != OK ||
		(err = store_user_list(call, &request, &list)) != OK)
		return err;
	*user = list.n_items > 0 ? list.items[0] : NULL;
	return OK;
}

static err_t make(struct call *call, const char *name, Auth__User *made)
{
	err_t err = user_make(call, name, "member", made);

	return err == ERR_ALREADY_EXISTS ? ERR_ABORTED : err; /* somebody was faster: look again */
}

err_t ensure_user(struct call *call, const Auth__NamedUserRequest *request, Auth__NamedUser *reply)
{
	Auth__User made = AUTH__USER__INIT;
	const Auth__User *user;
	err_t err = find(call, request->name, &user);

	if (err == OK && user == NULL) {
		err = make(call, request->name, &made);
		user = &made;
		reply->made = true;
	}
	if (err != OK)
		return err;
	if (strcmp(user->state, "active") != 0)
		return call_refuse(call, ERR_PERMISSION_DENIED, "name", "account disabled");
	reply->id = user->id;
	reply->until = clock_unix_ms() / 1000 + oauth_settings()->session_days * DAY_S;
	return OK;
}

err_t remove_user(struct call *call, const Auth__NamedUserRequest *request, Auth__Empty *reply)
{
	const Auth__User *user;
	err_t err = find(call, request->name, &user);

	(void)reply;
	return err == OK && user != NULL ? user_remove_member(call, user->id) : err;
}
