/* names: events become rows, rows become replies. Events in their thread, methods in workers. */
#include "services/dns/names.h"

#include "lib/bus.h"
#include "lib/check.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "proto/auth.pb-c.h"
#include "services/dns/domain.h"
#include "services/dns/store.h"

#include <search.h>
#include <string.h>

struct tenant {
	char *id;
	char *name;
};

static int compare_tenants(const void *a, const void *b)
{
	return strcmp(((const struct tenant *)a)->id, ((const struct tenant *)b)->id);
}

static void free_tenant(void *node)
{
	struct tenant *tenant = node;

	free(tenant->id);
	free(tenant->name);
	free(tenant);
}

void names_tenants_finish(struct names_tenants *tenants)
{
	tdestroy(tenants->tree, free_tenant);
	tenants->tree = NULL;
}

static const char *remember(struct names_tenants *tenants, const char *id, const char *name)
{
	struct tenant *tenant = xmalloc(sizeof(*tenant));

	tenant->id = xstrdup(id);
	tenant->name = xstrdup(name);
	if (tsearch(tenant, &tenants->tree, compare_tenants) == NULL)
		BUG("out of memory");
	return tenant->name;
}

/* The name of the call's tenant: remembered, or asked of auth. */
static err_t tenant_name(struct names_tenants *tenants, struct call *call, const char **name)
{
	const struct tenant key = { .id = (char *)call->tenant };
	struct tenant *const *known = tfind(&key, &tenants->tree, compare_tenants);
	const ProtobufCMessage *reply;
	Auth__Ref request = AUTH__REF__INIT;
	err_t err;

	if (known != NULL) {
		*name = (*known)->name;
		return OK;
	}
	err = bus_call(call, &auth__auth__descriptor, "GetTenant", &request.base, &reply);
	if (err != OK)
		return err;
	*name = remember(tenants, call->tenant, ((const Auth__Tenant *)reply)->name);
	return OK;
}

static err_t check_member(struct call *call, const Event__Member *member)
{
	err_t err;

	if ((err = check_uuid(call, "tenant", call->tenant)) != OK ||
		(err = check_uuid(call, "member", member->member)) != OK || member->removed)
		return err;
	if ((err = check_uuid(call, "network", member->network)) != OK ||
		(err = check_uuid(call, "device", member->device)) != OK ||
		(err = check_label(call, "network_name", member->network_name)) != OK)
		return err;
	return check_label(call, "device_name", member->device_name);
}

static err_t put_member(
	struct names_tenants *tenants, struct call *call, const Event__Member *member)
{
	const char *tenant;
	err_t err;

	if ((err = tenant_name(tenants, call, &tenant)) != OK)
		return err;
	return store_put(call, member,
		arena_printf(call->arena, "%s.%s.%s", member->device_name, member->network_name,
			tenant));
}

err_t names_apply(struct names_tenants *tenants, struct call *call, const Event__Member *member)
{
	err_t err = check_member(call, member);

	if (err == OK && member->removed)
		return store_remove(call, member->member);
	if (err == OK)
		err = put_member(tenants, call, member);
	if (err != ERR_INVALID_ARGUMENT && err != ERR_NOT_FOUND)
		return err;
	log_error("member_passed_over", "member=%s tenant=%s field=%s reason=%s",
		log_value(member->member), log_value(call->tenant), call->fault.field,
		log_value(call->fault.detail));
	return OK;
}

/* ---- methods ---- */

err_t names_get(const char *zone, struct call *call, const Dns__Ref *request, Dns__Name *name)
{
	err_t err;

	if ((err = check_uuid(call, "id", request->id)) != OK)
		return err;
	return store_get(call, zone, request->id, name);
}

err_t names_list(
	const char *zone, struct call *call, const Dns__ListRequest *request, Dns__NameList *list)
{
	const char *relative = NULL;
	char name[DOMAIN_LEN];
	err_t err;

	if (*request->cursor != '\0' && (err = check_uuid(call, "cursor", request->cursor)) != OK)
		return err;
	if (*request->network != '\0' &&
		(err = check_uuid(call, "network", request->network)) != OK)
		return err;
	if (*request->name != '\0') {
		int len = domain_normalise(request->name, name) ? domain_prefix(name, zone) : -1;

		if (len < 0)
			return call_refuse(call, ERR_INVALID_ARGUMENT, "name",
				"expected a name in the zone %s", zone);
		name[len] = '\0';
		relative = name;
	}
	return store_list(call, zone, request, relative, list);
}
