/*
 * provision: the handlers of proto/provision.proto, one function an rpc and named like it, which
 * main.c puts into the service's table. Each runs in a worker thread of the bus, in one
 * transaction; it may be run again when that is aborted. What each promises stands in the proto and
 * in docs/provisioning.md.
 */
#pragma once

#include "lib/call.h"
#include "proto/provision.pb-c.h"
#include "services/provision/urls.h"

/* ---- network.c ---- */

err_t create_network(struct call *call, const Provision__CreateNetworkRequest *request,
	Provision__Network *reply) MUST_CHECK;
err_t get_network(
	struct call *call, const Provision__Ref *request, Provision__Network *reply) MUST_CHECK;
err_t list_networks(struct call *call, const Provision__ListRequest *request,
	Provision__NetworkList *reply) MUST_CHECK;
err_t update_network(struct call *call, const Provision__UpdateNetworkRequest *request,
	Provision__Network *reply) MUST_CHECK;
err_t delete_network(
	struct call *call, const Provision__Ref *request, Provision__Empty *reply) MUST_CHECK;

/* ---- enrol.c ---- */

err_t enrol(struct call *call, const Provision__EnrolRequest *request,
	Provision__Enrolment *reply) MUST_CHECK;

/* ---- device.c ---- */

err_t get_device(
	struct call *call, const Provision__Ref *request, Provision__Device *reply) MUST_CHECK;
err_t list_devices(struct call *call, const Provision__ListRequest *request,
	Provision__DeviceList *reply) MUST_CHECK;
err_t update_device(struct call *call, const Provision__UpdateDeviceRequest *request,
	Provision__Device *reply) MUST_CHECK;
err_t retire_device(
	struct call *call, const Provision__Ref *request, Provision__Device *reply) MUST_CHECK;

/* ---- member.c ---- */

err_t create_member(struct call *call, const Provision__CreateMemberRequest *request,
	Provision__Member *reply) MUST_CHECK;
err_t get_member(
	struct call *call, const Provision__Ref *request, Provision__Member *reply) MUST_CHECK;
err_t list_members(struct call *call, const Provision__ListRequest *request,
	Provision__MemberList *reply) MUST_CHECK;
err_t update_member(struct call *call, const Provision__UpdateMemberRequest *request,
	Provision__Member *reply) MUST_CHECK;
err_t delete_member(
	struct call *call, const Provision__Ref *request, Provision__Empty *reply) MUST_CHECK;

/* ---- attach.c ---- */

/* The rpc Attach; `urls` is where the dataplane is. */
err_t attach_device(struct call *call, const struct urls *urls,
	const Provision__AttachRequest *request, Provision__Attachment *reply) MUST_CHECK;
