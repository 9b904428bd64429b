/*
 * tenant: organisations. Made and listed for the whole fleet; seen and suspended from within. Runs
 * in the thread of the call.
 */
#include "lib/check.h"
#include "services/auth/handlers.h"
#include "services/auth/request.h"
#include "services/auth/revocation.h"
#include "services/auth/store.h"

#include <string.h>

static const char *const states[] = { "active", "suspended", NULL };

static err_t check_fleet(struct call *call)
{
	if (strcmp(call->tenant, CALL_FLEET) == 0)
		return OK;
	return call_refuse(
		call, ERR_PERMISSION_DENIED, NULL, "only operators of the fleet may do this");
}

err_t create_tenant(
	struct call *call, const Auth__CreateTenantRequest *request, Auth__Tenant *reply)
{
	err_t err;

	if ((err = check_fleet(call)) != OK ||
		(err = check_label(call, "name", request->name)) != OK)
		return err;
	return store_tenant_create(call, NULL, request->name, reply);
}

err_t get_tenant(struct call *call, const Auth__Ref *request, Auth__Tenant *reply)
{
	const char *id = *request->id ? request->id : call->tenant;
	err_t err = check_uuid(call, "id", id);

	return err == OK ? store_tenant_get(call, id, reply) : err;
}

err_t list_tenants(struct call *call, const Auth__ListRequest *request, Auth__TenantList *reply)
{
	err_t err;

	if ((err = check_fleet(call)) != OK || (err = request_check_list(call, request)) != OK)
		return err;
	return store_tenant_list(call, request, reply);
}

static err_t suspend_or_resume(struct call *call, const char *state, Auth__Tenant *tenant)
{
	const char *subject;
	err_t err;

	if (strcmp(tenant->id, FLEET_TENANT) == 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "state",
			"the fleet's own tenant stays active");
	if ((err = store_tenant_update(call, state, tenant)) != OK)
		return err;
	subject = arena_printf(call->arena, "tenant:%s", tenant->id);
	return strcmp(state, "suspended") == 0
		       ? revocation_suspend(call, subject, "the tenant was suspended")
		       : revocation_resume(call, subject);
}

err_t update_tenant(
	struct call *call, const Auth__UpdateTenantRequest *request, Auth__Tenant *reply)
{
	const char *state = request->set_state_case ? request->state : NULL;
	err_t err;

	if (state && (err = check_word(call, "state", state, states)) != OK)
		return err;
	if ((err = store_tenant_lock(call, reply)) != OK ||
		(err = request_check_version(call, request->version, reply->version)) != OK)
		return err;
	if (!state || strcmp(state, reply->state) == 0)
		return OK;
	return suspend_or_resume(call, state, reply);
}
