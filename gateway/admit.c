/* admit: limits, identity, tenant, scope, in this order. Runs in workers. */
#include "gateway/admit.h"

#include "lib/check.h"
#include "lib/clock.h"
#include "proto/auth.pb-c.h"
#include "proto/est.pb-c.h"

#include <string.h>

#define COSTLY 10 /* what a ROUTE_COSTLY request counts as */

static err_t limit_check(
	struct api_request *request, struct limit *limit, const char *key, long cost)
{
	int wait_s = limit_take(limit, key, cost, clock_ms());

	if (wait_s == 0)
		return OK;
	http_reply_add(
		request->reply, "Retry-After", arena_printf(request->call->arena, "%d", wait_s));
	return call_refuse(
		request->call, ERR_RESOURCE_EXHAUSTED, "", "expected fewer requests a second");
}

static long cost_of(const struct route *route)
{
	return (route->flags & ROUTE_COSTLY) != 0 ? COSTLY : 1;
}

err_t admit_stranger(struct api_request *request, long cost)
{
	return limit_check(request, request->api->addresses, request->http->origin, cost);
}

err_t admit_subject(struct api_request *request, const char *subject, long cost)
{
	return limit_check(request, request->api->principals, subject, cost);
}

/* The handshake has proved that its key is there; provision knows whose it is. */
static err_t identify_certificate(struct api_request *request)
{
	Provision__EstCertificate message = PROVISION__EST_CERTIFICATE__INIT;
	const Provision__EstIdentity *reply;
	const ProtobufCMessage *answer;
	err_t err = admit_stranger(request, 0);

	if (err != OK)
		return err;
	message.der.data = (uint8_t *)(uintptr_t)request->http->certificate;
	message.der.len = request->http->certificate_len;
	request->call->tenant = CALL_FLEET;
	err = bus_call(request->call, &provision__est__descriptor, "IdentifyCertificate",
		&message.base, &answer);
	if (err != OK)
		return err;
	reply = (const Provision__EstIdentity *)answer;
	request->caller = (struct identity){
		.tenant = reply->tenant,
		.subject = arena_printf(request->call->arena, "device:%s", reply->device),
		.role = "device",
	};
	return OK;
}

/* A signature is checked here and at once, but auth is not asked for an address that guesses. */
static err_t identify(struct api_request *request)
{
	struct credentials credentials;
	err_t err;

	if (request->http->headers.authorization == NULL && request->http->certificate_len > 0 &&
		(request->match.route->flags & ROUTE_CERTIFICATE) != 0)
		return identify_certificate(request);
	err = credentials_parse(request->call, request->http->headers.authorization, &credentials);
	if (err == OK && credentials.kind != CREDENTIALS_TOKEN)
		err = admit_stranger(request, 0);
	if (err != OK)
		return err;
	return identity_find(request->call, request->api->trust, &credentials, &request->caller);
}

/* Failures count against the address, those who succeed have a limit of their own. */
static err_t authenticate(struct api_request *request)
{
	err_t err = identify(request);

	if (err == ERR_UNAUTHENTICATED && admit_stranger(request, 1) != OK)
		return ERR_RESOURCE_EXHAUSTED;
	if (err != OK)
		return err;
	request->call->actor = request->caller.subject;
	request->call->scopes = (char **)(uintptr_t)request->caller.scopes;
	request->call->n_scopes = request->caller.n_scopes;
	return limit_check(request, request->api->principals, request->caller.subject,
		cost_of(request->match.route));
}

static err_t no_such_tenant(struct call *call)
{
	return call_refuse(call, ERR_NOT_FOUND, "tenant", "there is no such tenant");
}

/* Only auth knows which tenants there are; whoever acts in the own one needs no question. */
static err_t tenant_exists(struct call *call)
{
	Auth__Ref request = AUTH__REF__INIT;
	const ProtobufCMessage *reply;
	err_t err = bus_call(call, &auth__auth__descriptor, "GetTenant", &request.base, &reply);

	return err == ERR_NOT_FOUND ? no_such_tenant(call) : err;
}

static err_t choose_tenant(struct api_request *request)
{
	const struct identity *caller = &request->caller;
	const char *tenant = route_parameter(&request->match, "tenant");
	struct call *call = request->call;

	if (tenant == NULL) {
		call->tenant = caller->tenant != NULL ? caller->tenant : CALL_FLEET;
		if ((request->match.route->flags & ROUTE_FLEET) != 0)
			call->tenant = CALL_FLEET;
		return OK;
	}
	if (check_uuid(call, "tenant", tenant) != OK)
		return no_such_tenant(call);
	call->tenant = tenant;
	if (strcmp(tenant, caller->tenant) == 0)
		return OK;
	return identity_is_fleet(caller) ? tenant_exists(call) : no_such_tenant(call);
}

static err_t check_access(struct api_request *request)
{
	const struct route *route = request->match.route;

	if ((route->flags & ROUTE_FLEET) != 0 && !identity_is_fleet(&request->caller))
		return call_refuse(request->call, ERR_PERMISSION_DENIED, "",
			"this is for operators of the fleet");
	if (strcmp(route->scope, ROUTE_ANYONE) != 0 &&
		!identity_may(&request->caller, route->scope))
		return call_refuse(request->call, ERR_PERMISSION_DENIED, "",
			"this needs the scope %s", route->scope);
	return OK;
}

/* Someone else's tenant looks like none, whatever the caller's scopes are. */
err_t admit(struct api_request *request)
{
	const struct route *route = request->match.route;
	err_t err;

	if (route->scope == NULL) {
		err = admit_stranger(request, cost_of(route));
		return err == OK ? choose_tenant(request) : err;
	}
	if ((err = authenticate(request)) != OK || (err = choose_tenant(request)) != OK)
		return err;
	return check_access(request);
}
