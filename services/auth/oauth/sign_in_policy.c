/*
 * sign_in_policy: what a tenant wants of who signs in. Whoever changes it holds the lock of the
 * tenant. Runs in the thread of the call.
 */
#include "lib/check.h"
#include "services/auth/oauth/oauth.h"
#include "services/auth/oauth/oauth_store.h"
#include "services/auth/request.h"
#include "services/auth/store.h"

static const char *const second_factors[] = { "optional", "required", NULL };
static const char *const blocked_users[] = { "open", "closed", NULL };

err_t get_sign_in_policy(struct call *call, const Auth__Empty *request, Auth__SignInPolicy *reply)
{
	(void)request;
	return store_sign_in_policy_get(call, reply);
}

err_t update_sign_in_policy(struct call *call, const Auth__UpdateSignInPolicyRequest *request,
	Auth__SignInPolicy *reply)
{
	const char *factor = request->set_second_factor_case ? request->second_factor : NULL;
	const char *blocked = request->set_blocked_users_case ? request->blocked_users : NULL;
	Auth__Tenant tenant = AUTH__TENANT__INIT;
	err_t err;

	if (factor && (err = check_word(call, "second_factor", factor, second_factors)) != OK)
		return err;
	if (blocked && (err = check_word(call, "blocked_users", blocked, blocked_users)) != OK)
		return err;
	if ((err = store_tenant_lock(call, &tenant)) != OK ||
		(err = store_sign_in_policy_get(call, reply)) != OK ||
		(err = request_check_version(call, request->version, reply->version)) != OK)
		return err;
	return store_sign_in_policy_set(call, factor, blocked, reply);
}
