/*
 * tenant: organisations: see tenant.h, and the methods on them. Made and listed for the whole
 * fleet; seen, suspended and deleted from within. Runs in the thread of the call.
 */
#include "services/auth/tenant.h"

#include "lib/check.h"
#include "lib/log.h"
#include "services/auth/handlers.h"
#include "services/auth/request.h"
#include "services/auth/revocation.h"
#include "services/auth/store.h"

#include <string.h>

static const char *const states[] = { "active", "suspended", NULL };

static long grace_hours; /* set once by tenant_open */

void tenant_open(long hours)
{
	grace_hours = hours;
}

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

static err_t check_not_fleet(struct call *call, const char *field)
{
	if (strcmp(call->tenant, FLEET_TENANT) != 0)
		return OK;
	return call_refuse(
		call, ERR_FAILED_PRECONDITION, field, "the fleet's own tenant stays active");
}

static err_t suspend(struct call *call, const char *reason)
{
	return revocation_suspend(
		call, arena_printf(call->arena, "tenant:%s", call->tenant), reason);
}

static err_t change_state(struct call *call, const char *state, Auth__Tenant *tenant)
{
	bool was_active = strcmp(tenant->state, "active") == 0;
	err_t err;

	if ((err = check_not_fleet(call, "state")) != OK ||
		(err = store_tenant_update(call, state, tenant)) != OK)
		return err;
	if (strcmp(state, "active") == 0)
		return revocation_resume(call, arena_printf(call->arena, "tenant:%s", tenant->id));
	return was_active ? suspend(call, "the tenant was suspended") : OK;
}

/* The tenant of the call, locked, if it is as its sender saw it. */
static err_t lock(struct call *call, int64_t version, Auth__Tenant *tenant)
{
	err_t err = store_tenant_lock(call, tenant);

	return err == OK ? request_check_version(call, version, tenant->version) : err;
}

err_t update_tenant(
	struct call *call, const Auth__UpdateTenantRequest *request, Auth__Tenant *reply)
{
	const char *state = request->set_state_case ? request->state : NULL;
	err_t err;

	if (state && (err = check_word(call, "state", state, states)) != OK)
		return err;
	if ((err = lock(call, request->version, reply)) != OK)
		return err;
	return !state || strcmp(state, reply->state) == 0 ? OK : change_state(call, state, reply);
}

err_t delete_tenant(struct call *call, const Auth__Ref *request, Auth__Tenant *reply)
{
	bool was_active;
	err_t err;

	if ((err = check_not_fleet(call, NULL)) != OK ||
		(err = lock(call, request->version, reply)) != OK ||
		strcmp(reply->state, "deleting") == 0)
		return err;
	was_active = strcmp(reply->state, "active") == 0;
	if ((err = store_tenant_delete(call, grace_hours, reply)) != OK)
		return err;
	return was_active ? suspend(call, "the tenant was deleted") : OK;
}

err_t tenant_end(struct call *call)
{
	AUTO_ROWS rows = NULL;
	err_t err;

	if ((err = store_tenant_end(call)) != OK || (err = store_tenant_erased(call, &rows)) != OK)
		return err;
	for (size_t i = 0; err == OK && i < db_count(rows); i++) {
		log_info("tenant_gone", "tenant=%s", db_text(rows, i, "id"));
		err = store_tenant_forget(call, db_text(rows, i, "id"));
	}
	return err;
}
