/* portals: the handlers of proto/portal.proto, as provision.h. */
#pragma once

#include "lib/call.h"
#include "proto/portal.pb-c.h"

/* ---- portal.c ---- */

err_t get_portal(
	struct call *call, const Provision__Empty *request, Provision__Portal *reply) MUST_CHECK;
err_t update_portal(struct call *call, const Provision__UpdatePortalRequest *request,
	Provision__Portal *reply) MUST_CHECK;

/* ---- portal_device.c ---- */

err_t create_portal_device(struct call *call, const Provision__CreatePortalDeviceRequest *request,
	Provision__PortalDevice *reply) MUST_CHECK;
err_t get_portal_device(struct call *call, const Provision__Ref *request,
	Provision__PortalDevice *reply) MUST_CHECK;
err_t list_portal_devices(struct call *call, const Provision__ListRequest *request,
	Provision__PortalDeviceList *reply) MUST_CHECK;
err_t publish_package(struct call *call, const Provision__Ref *request,
	Provision__PortalDevice *reply) MUST_CHECK;

err_t issue_portal_secret(struct call *call, const Provision__Ref *request,
	Provision__PortalDevice *reply) MUST_CHECK;
err_t release_portal_device(struct call *call, const Provision__Ref *request,
	Provision__PortalDevice *reply) MUST_CHECK;
err_t forget_portal_device(
	struct call *call, const Provision__Ref *request, Provision__Empty *reply) MUST_CHECK;

/* ---- poll.c ---- */

err_t poll_portal(struct call *call, const Provision__PortalRequest *request,
	Provision__PortalStatus *reply) MUST_CHECK;
err_t fetch_package(struct call *call, const Provision__FetchPackageRequest *request,
	Provision__PackageArchive *reply) MUST_CHECK;
err_t note_polls(struct call *call, const Provision__NotePollsRequest *request,
	Provision__Empty *reply) MUST_CHECK;
err_t acknowledge_package(struct call *call, const Provision__PortalRequest *request,
	Provision__PortalStatus *reply) MUST_CHECK;

/* ---- delivery.c ---- */

err_t note_delivery(struct call *call, const Provision__NoteDeliveryRequest *request,
	Provision__Empty *reply) MUST_CHECK;

/* ---- vpn.c ---- */

err_t authorize_vpn(struct call *call, const Provision__AuthorizeVpnRequest *request,
	Provision__Empty *reply) MUST_CHECK;
/* The task: a package that was acknowledged and never seen in the VPN is taken back, if there is
 * one that was. */
err_t take_back_packages(struct call *call) MUST_CHECK;
