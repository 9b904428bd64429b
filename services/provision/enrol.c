/*
 * enrol: a new device shows an enrolment key, which names the tenant and says what the device gets.
 * The call comes with the tenant "*", so its transaction sees every tenant's rows: all SQL names
 * the tenant.
 */
#include "services/provision/provision.h"

#include "lib/check.h"
#include "services/provision/audit/audit.h"
#include "services/provision/auth.h"
#include "services/provision/member.h"
#include "services/provision/state.h"
#include "services/provision/store.h"

#define SECRET_MAX 256

/* auth doesn't know networks, so a key may name one that never was, or is gone by now. */
static err_t check_network(struct call *call, const char *network)
{
	Provision__Network found = PROVISION__NETWORK__INIT;
	err_t err = store_network_get(call, network, &found);

	if (err == ERR_NOT_FOUND)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "enrolment_key",
			"the key is for network %s, which does not exist: use another key",
			network);
	return err;
}

static err_t create_device(
	struct call *call, const Auth__Grant *grant, const char *name, Provision__Device *device)
{
	Provision__Device wanted = PROVISION__DEVICE__INIT;

	wanted.name = (char *)name;
	wanted.state = grant->approve ? STATE_APPROVED : STATE_PENDING;
	wanted.tags = grant->tags;
	wanted.n_tags = grant->n_tags;
	wanted.enrolment_key = grant->enrolment_key;
	return store_device_create(call, &wanted, device);
}

/* Makes the device and all that the grant gives it. A use of the key is counted once nothing but a
 * full network can go wrong. The member comes last: its network is locked from then on, and no call
 * to another service should fall into that time. */
static err_t enrol_granted(struct call *call, const Auth__Grant *grant,
	const Provision__EnrolRequest *request, Provision__Enrolment *reply)
{
	Provision__Device device = PROVISION__DEVICE__INIT;
	Provision__Member member = PROVISION__MEMBER__INIT;
	bool joins = *grant->network != '\0';
	const char *secret;
	err_t err;

	if (joins && (err = check_network(call, grant->network)) != OK)
		return err;
	if ((err = create_device(call, grant, request->name, &device)) != OK ||
		(err = AUDIT(call, "device.enrolled", .subject = device.id, .device = device.id,
			 .before = grant->enrolment_key, .after = device.state)) != OK ||
		(err = auth_redeem(call, request->enrolment_key)) != OK ||
		(err = auth_issue_secret(call, device.id, &secret)) != OK)
		return err;
	if (joins && (err = member_admit(call, grant->network, device.id, &member)) != OK)
		return err;
	reply->tenant = grant->tenant;
	reply->device = device.id;
	reply->name = device.name;
	reply->secret = (char *)secret;
	reply->state = device.state;
	return OK;
}

err_t enrol(struct call *call, const Provision__EnrolRequest *request, Provision__Enrolment *reply)
{
	const char *tenant = call->tenant;
	const Auth__Grant *grant;
	err_t err;

	if ((err = check_label(call, "name", request->name)) != OK ||
		(err = check_text(call, "enrolment_key", request->enrolment_key, 1, SECRET_MAX)) !=
			OK ||
		(err = auth_look(call, request->enrolment_key, &grant)) != OK)
		return err;
	call->tenant = grant->tenant;
	err = enrol_granted(call, grant, request, reply);
	call->tenant = tenant; /* the call may be run again */
	return err;
}
