/* federation: see federation.h. Whoever changes it holds the lock of the tenant. */
#include "services/auth/federation/federation.h"

#include "services/auth/authority.h"
#include "services/auth/federation/federation_store.h"
#include "services/auth/federation/trusted_list.h"
#include "services/auth/request.h"
#include "services/auth/store.h"

#include <inttypes.h>
#include <string.h>

err_t get_federation(struct call *call, const Auth__Empty *request, Auth__Federation *reply)
{
	(void)request;
	return store_federation_get(call, reply);
}

/* Who changes it could be all that it makes of people. */
static err_t lock(struct call *call, Auth__Federation *before)
{
	Auth__Tenant tenant = AUTH__TENANT__INIT;
	err_t err;

	if ((err = authority_over_role(call, GUEST_ROLE)) != OK ||
		(err = store_tenant_lock(call, &tenant)) != OK)
		return err;
	return store_federation_get(call, before);
}

/* Nobody puts back a list in which somebody was still trusted. */
static err_t check_newer(
	struct call *call, const Auth__Federation *before, const Auth__Federation *wanted)
{
	if (strcmp(before->public_key, wanted->public_key) != 0 || wanted->seq >= before->seq)
		return OK;
	return call_refuse(call, ERR_FAILED_PRECONDITION, "seq",
		"expected a list with seq %" PRId64 " or higher", before->seq);
}

err_t set_federation(
	struct call *call, const Auth__FederationList *request, Auth__Federation *reply)
{
	Auth__Federation before = AUTH__FEDERATION__INIT, wanted = AUTH__FEDERATION__INIT;
	err_t err;

	if ((err = trusted_list_read(call, request, &wanted)) != OK ||
		(err = lock(call, &before)) != OK ||
		(err = check_newer(call, &before, &wanted)) != OK ||
		(err = store_federation_set(call, &wanted)) != OK ||
		(err = guest_end_strangers(call)) != OK)
		return err;
	return store_federation_get(call, reply);
}

err_t delete_federation(struct call *call, const Auth__Ref *request, Auth__Empty *reply)
{
	Auth__Federation before = AUTH__FEDERATION__INIT;
	err_t err;

	(void)reply;
	if ((err = lock(call, &before)) != OK ||
		(err = request_check_version(call, request->version, before.version)) != OK ||
		(err = store_federation_delete(call)) != OK)
		return err;
	return guest_end_strangers(call);
}
