/*
 * registration: zones and registered names as their tenant manages them. In workers of the bus; the
 * call's tenant is the one that asks.
 */
#pragma once

#include "lib/call.h"
#include "proto/dns.pb-c.h"
#include "proto/event.pb-c.h"

#define REGISTRATIONS_OF_DEVICE_MAX 16

err_t zone_create(
	struct call *call, const Dns__CreateZoneRequest *request, Dns__Zone *reply) MUST_CHECK;
err_t zone_get(struct call *call, const Dns__Ref *request, Dns__Zone *reply) MUST_CHECK;
err_t zone_list(
	struct call *call, const Dns__ListRequest *request, Dns__ZoneList *reply) MUST_CHECK;
err_t zone_delete(struct call *call, const Dns__Ref *request, Dns__Empty *reply) MUST_CHECK;

/* A device that asks again for a name it holds gets a new token. */
err_t registration_create(struct call *call, const Dns__CreateRegistrationRequest *request,
	Dns__Registration *reply) MUST_CHECK;
err_t registration_get(
	struct call *call, const Dns__Ref *request, Dns__Registration *reply) MUST_CHECK;
err_t registration_list(struct call *call, const Dns__ListRegistrationsRequest *request,
	Dns__RegistrationList *reply) MUST_CHECK;
err_t registration_reclaim(
	struct call *call, const Dns__Ref *request, Dns__Registration *reply) MUST_CHECK;
err_t registration_delete(struct call *call, const Dns__Ref *request, Dns__Empty *reply) MUST_CHECK;

/* Names of a device that is blocked, or of a tenant that is suspended, are silent until that is
 * over; those of a device that is retired are free. */
err_t registration_revoked(struct call *call, const Event__Revoked *event) MUST_CHECK;
err_t registration_resumed(struct call *call, const Event__Resumed *event) MUST_CHECK;
