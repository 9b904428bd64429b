/*
 * provision for real: devices from their enrolment to their end, what others are told of it, and
 * what a device gets when it attaches.
 */
#include "tests/component/provision_fixture.h"

#include "lib/token.h"
#include "proto/event.pb-c.h"

TestSuite(provision_devices, .init = setup, .fini = teardown, .timeout = 120);

/* ---- calls ---- */

/* Gives the secret of a new enrolment key. */
static const char *make_key(struct step *step, const char *network, unsigned max_uses, bool approve)
{
	static char *tags[] = { "roof", "west" };
	Auth__CreateEnrolmentKeyRequest request = AUTH__CREATE_ENROLMENT_KEY_REQUEST__INIT;
	const Auth__EnrolmentKey *key;
	static unsigned n;

	request.name = arena_printf(step->call.arena, "key-%u", ++n);
	request.network = (char *)(uintptr_t)network;
	request.max_uses = max_uses;
	request.approve = approve;
	request.tags = tags;
	request.n_tags = ARRAY_LEN(tags);
	ASSERT_OK(step, ASK_AUTH(step, "CreateEnrolmentKey", &request, &key));
	return key->secret;
}

/* Changes name or state; NULL leaves it. */
static err_t update_device(struct step *step, const char *id, int64_t version, const char *name,
	const char *state, const Provision__Device **device)
{
	Provision__UpdateDeviceRequest request = PROVISION__UPDATE_DEVICE_REQUEST__INIT;

	request.id = (char *)(uintptr_t)id;
	request.version = version;
	if (name != NULL) {
		request.set_name_case = PROVISION__UPDATE_DEVICE_REQUEST__SET_NAME_NAME;
		request.name = (char *)(uintptr_t)name;
	}
	if (state != NULL) {
		request.set_state_case = PROVISION__UPDATE_DEVICE_REQUEST__SET_STATE_STATE;
		request.state = (char *)(uintptr_t)state;
	}
	return ASK_PROVISION(step, "UpdateDevice", &request, device);
}

static err_t attach(struct step *step, const char *device, const char *network,
	const Provision__Attachment **attachment)
{
	Provision__AttachRequest request = PROVISION__ATTACH_REQUEST__INIT;

	request.device = (char *)(uintptr_t)device;
	request.network = (char *)(uintptr_t)network;
	return ASK_PROVISION(step, "Attach", &request, attachment);
}

/* ---- enrolment ---- */

SQL(uses_of, "SELECT uses FROM auth.enrolment_key WHERE tenant_id = $1 ORDER BY id");
SQL(devices_of, "SELECT count(*) AS n FROM provision.device WHERE tenant_id = $1");

static long long number(struct step *step, const struct db_statement *statement, const char *column)
{
	AUTO_ROWS rows = sql(step, statement, PARAMS(step->call.tenant));

	return db_int(rows, 0, column);
}

Test(provision_devices, a_key_enrols_a_device_as_it_says)
{
	const Provision__Network *network;
	const Provision__Enrolment *enrolment;
	const Provision__Device *device;
	const Provision__MemberList *members;
	Provision__ListRequest list = PROVISION__LIST_REQUEST__INIT;
	Auth__Credential credential = AUTH__CREDENTIAL__INIT;
	const Auth__Principal *principal;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "office", "10.77.0.0/24", "", &network));
	ASSERT_OK(
		&step, enrol(&step, make_key(&step, network->id, 0, true), "router-1", &enrolment));
	cr_assert_str_eq(enrolment->tenant, step.call.tenant);
	cr_assert_str_eq(enrolment->name, "router-1");
	cr_assert_str_eq(enrolment->state, "approved");
	ASSERT_OK(&step, ask_ref(&step, "GetDevice", enrolment->device, 0, (const void **)&device));
	cr_assert_eq(device->n_tags, 2);
	cr_assert_str_eq(device->tags[1], "west");
	cr_assert_str_eq(device->attached_at, "");
	list.device = enrolment->device;
	ASSERT_OK(&step, ASK_PROVISION(&step, "ListMembers", &list, &members));
	cr_assert_eq(members->n_items, 1);
	cr_assert_str_eq(members->items[0]->name, "router-1");
	cr_assert_str_eq(members->items[0]->ipv4, "10.77.0.1/24");
	/* The secret is one that auth knows. */
	credential.device = enrolment->device;
	credential.device_secret = enrolment->secret;
	step.call.tenant = CALL_FLEET;
	ASSERT_OK(&step, ASK_AUTH(&step, "Authenticate", &credential, &principal));
	cr_assert_str_eq(principal->tenant, enrolment->tenant);
}

Test(provision_devices, a_key_that_is_wrong_or_used_up_enrols_nobody)
{
	const Provision__Enrolment *enrolment;
	const char *key;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	key = make_key(&step, "", 2, false);
	ASSERT_REFUSED(
		&step, enrol(&step, "lye_no-key-at-all", "a", &enrolment), ERR_UNAUTHENTICATED, "");
	ASSERT_REFUSED(
		&step, enrol(&step, key, "No Label", &enrolment), ERR_INVALID_ARGUMENT, "name");
	ASSERT_OK(&step, enrol(&step, key, "a", &enrolment));
	cr_assert_str_eq(enrolment->state, "pending");
	ASSERT_REFUSED(&step, enrol(&step, make_key(&step, "", 0, false), "a", &enrolment),
		ERR_ALREADY_EXISTS, "name");
	ASSERT_OK(&step, enrol(&step, key, "b", &enrolment));
	ASSERT_REFUSED(&step, enrol(&step, key, "c", &enrolment), ERR_UNAUTHENTICATED, "");
	ASSERT_REFUSED(&step, enrol(&step, make_key(&step, NOBODY, 0, false), "d", &enrolment),
		ERR_FAILED_PRECONDITION, "enrolment_key");
	cr_assert_eq(number(&step, &devices_of, "n"), 2);
}

Test(provision_devices, a_retry_of_an_enrolment_is_the_same_enrolment)
{
	const Provision__Enrolment *first, *second;
	const char *key;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	key = make_key(&step, "", 1, true);
	step.call.idempotency_key = step.call.trace;
	ASSERT_OK(&step, enrol(&step, key, "router-1", &first));
	ASSERT_OK(&step, enrol(&step, key, "router-1", &second));
	cr_assert_str_eq(first->device, second->device);
	cr_assert_str_eq(first->secret, second->secret);
	cr_assert_eq(number(&step, &uses_of, "uses"), 1);
	cr_assert_eq(number(&step, &devices_of, "n"), 1);
	ASSERT_REFUSED(&step, enrol(&step, key, "router-2", &second), ERR_INVALID_ARGUMENT,
		"Idempotency-Key");
}

struct enroller {
	const char *tenant, *key;
	size_t number;
	err_t err;
	pthread_t thread;
};

static void *enrol_one(void *arg)
{
	struct enroller *enroller = arg;
	const Provision__Enrolment *enrolment;
	AUTO_STEP step;

	step_open(&step, enroller->tenant);
	enroller->err = enrol(&step, enroller->key,
		arena_printf(step.call.arena, "router-%zu", enroller->number), &enrolment);
	return NULL;
}

Test(provision_devices, a_key_has_no_more_uses_than_it_says)
{
	struct enroller enrollers[2 * THREADS] = { 0 };
	const Provision__Network *network;
	const char *key;
	size_t n = 0;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "n", "10.77.0.0/24", "", &network));
	key = make_key(&step, network->id, 5, true);
	for (size_t i = 0; i < ARRAY_LEN(enrollers); i++) {
		enrollers[i] =
			(struct enroller){ .tenant = step.call.tenant, .key = key, .number = i };
		cr_assert_eq(
			pthread_create(&enrollers[i].thread, NULL, enrol_one, &enrollers[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(enrollers); i++) {
		pthread_join(enrollers[i].thread, NULL);
		cr_assert(enrollers[i].err == OK || enrollers[i].err == ERR_UNAUTHENTICATED, "%s",
			err_name(enrollers[i].err));
		n += enrollers[i].err == OK;
	}
	cr_assert_eq(n, 5);
	cr_assert_eq(number(&step, &devices_of, "n"), 5);
	check_full(&step, network->id, 5);
}

/* ---- states ---- */

/* One device goes through these, one after the other. */
static const struct {
	const char *to; /* by UpdateDevice, or "retired" by RetireDevice */
	err_t err;
	const char *field;
	const char *state; /* that it is in then */
	err_t attach;
} changes[] = {
	{ "pending", ERR_INVALID_ARGUMENT, "state", "pending", ERR_FAILED_PRECONDITION },
	{ "blocked", ERR_FAILED_PRECONDITION, "state", "pending", ERR_FAILED_PRECONDITION },
	{ "approved", OK, "", "approved", OK },
	{ "approved", OK, "", "approved", OK },
	{ "blocked", OK, "", "blocked", ERR_FAILED_PRECONDITION },
	{ "blocked", OK, "", "blocked", ERR_FAILED_PRECONDITION },
	{ "retired", OK, "", "retired", ERR_FAILED_PRECONDITION },
	{ "retired", OK, "", "retired", ERR_FAILED_PRECONDITION },
	{ "approved", ERR_FAILED_PRECONDITION, "state", "retired", ERR_FAILED_PRECONDITION },
	{ "blocked", ERR_FAILED_PRECONDITION, "state", "retired", ERR_FAILED_PRECONDITION },
};

static err_t change_state(struct step *step, const char *id, const char *to)
{
	const Provision__Device *device;

	if (strcmp(to, "retired") == 0)
		return ask_ref(step, "RetireDevice", id, 0, (const void **)&device);
	return update_device(step, id, 0, NULL, to, &device);
}

Test(provision_devices, a_device_goes_from_state_to_state_as_allowed)
{
	const Provision__Network *network;
	const Provision__Enrolment *enrolment, *successor;
	const Provision__Attachment *attachment;
	const Provision__Device *device;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "n", "10.77.0.0/24", "", &network));
	ASSERT_OK(&step, enrol(&step, make_key(&step, network->id, 0, false), "r", &enrolment));
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		ASSERT_REFUSED(&step, change_state(&step, enrolment->device, changes[i].to),
			changes[i].err, changes[i].field);
		ASSERT_OK(&step,
			ask_ref(&step, "GetDevice", enrolment->device, 0, (const void **)&device));
		cr_assert_str_eq(device->state, changes[i].state, "row %zu", i);
		cr_assert_eq(attach(&step, enrolment->device, "", &attachment), changes[i].attach,
			"row %zu: %s", i, step.call.fault.detail);
	}
	ASSERT_REFUSED(&step, update_device(&step, enrolment->device, 0, "other", NULL, &device),
		ERR_FAILED_PRECONDITION, "state");
	/* Its name is free again. */
	ASSERT_OK(&step, enrol(&step, make_key(&step, network->id, 0, false), "r", &successor));
	cr_assert_str_neq(successor->device, enrolment->device);
}

SQL(member_events, "SELECT encode(body, 'hex') AS body FROM fabric.event"
		   " WHERE tenant_id = $1 AND topic = 'member' ORDER BY id");
SQL(revoked_events, "SELECT count(*) AS n FROM fabric.event"
		    " WHERE tenant_id = $1 AND topic = 'revoked'");

/* What dns and dataplane are told while a device goes through its life. */
static const struct {
	const char *name;
	bool removed;
} told[] = {
	{ "r", true },	/* enrolled, pending */
	{ "r", false }, /* approved */
	{ "s", false }, /* renamed */
	{ "s", true },	/* blocked */
	{ "s", false }, /* approved again */
	{ "s", true },	/* member deleted */
	{ "s", false }, /* made a member again */
	{ "s", true },	/* retired */
};

static Event__Member *event_unpack(const char *hex)
{
	uint8_t packed[1024];
	size_t len = strlen(hex) / 2;

	cr_assert_leq(len, sizeof(packed));
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(sscanf(hex + 2 * i, "%2hhx", &packed[i]), 1);
	return event__member__unpack(NULL, len, packed);
}

static void live_a_life(struct step *step, const char *network, const char *device)
{
	Provision__ListRequest list = PROVISION__LIST_REQUEST__INIT;
	const Provision__MemberList *members;
	const Provision__Member *member;
	const Provision__Device *changed;
	const void *nothing;

	ASSERT_OK(step, update_device(step, device, 1, NULL, "approved", &changed));
	ASSERT_OK(step, update_device(step, device, 2, "s", NULL, &changed));
	ASSERT_REFUSED(step, update_device(step, device, 2, "t", NULL, &changed),
		ERR_FAILED_PRECONDITION, "version");
	ASSERT_OK(step, update_device(step, device, 3, NULL, "blocked", &changed));
	ASSERT_OK(step, update_device(step, device, 4, NULL, "approved", &changed));
	list.network = (char *)(uintptr_t)network;
	ASSERT_OK(step, ASK_PROVISION(step, "ListMembers", &list, &members));
	cr_assert_eq(members->n_items, 1);
	cr_assert_eq(members->items[0]->version, 5);
	ASSERT_REFUSED(step, ask_ref(step, "DeleteMember", members->items[0]->id, 4, &nothing),
		ERR_FAILED_PRECONDITION, "version");
	ASSERT_OK(step, ask_ref(step, "DeleteMember", members->items[0]->id, 5, &nothing));
	ASSERT_OK(step, make_member(step, network, device, &member));
	ASSERT_OK(step, ask_ref(step, "RetireDevice", device, 0, &nothing));
	ASSERT_REFUSED(
		step, ask_ref(step, "GetMember", member->id, 0, &nothing), ERR_NOT_FOUND, "");
	ASSERT_REFUSED(step, make_member(step, network, device, &member), ERR_FAILED_PRECONDITION,
		"device");
}

Test(provision_devices, everyone_is_told_of_each_change_of_a_member)
{
	const Provision__Network *network;
	const Provision__Enrolment *enrolment;
	AUTO_STEP step;
	AUTO_ROWS rows = NULL;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "n", "10.77.0.0/24", "fd00:7::/64", &network));
	ASSERT_OK(&step, enrol(&step, make_key(&step, network->id, 0, false), "r", &enrolment));
	live_a_life(&step, network->id, enrolment->device);
	rows = sql(&step, &member_events, PARAMS(step.call.tenant));
	cr_assert_eq(db_count(rows), ARRAY_LEN(told));
	for (size_t i = 0; i < ARRAY_LEN(told); i++) {
		Event__Member *event = event_unpack(db_text(rows, i, "body"));

		cr_assert_not_null(event);
		cr_expect_str_eq(event->device_name, told[i].name, "event %zu", i);
		cr_expect_eq(event->removed, told[i].removed, "event %zu", i);
		cr_expect_str_eq(event->network, network->id);
		cr_expect_str_eq(event->network_name, "n");
		cr_expect_str_eq(event->device, enrolment->device);
		cr_expect_str_eq(event->ipv4, i < 6 ? "10.77.0.1" : "10.77.0.2");
		cr_expect_str_eq(event->ipv6, i < 6 ? "fd00:7::1" : "fd00:7::2");
		event__member__free_unpacked(event, NULL);
	}
	cr_assert_eq(number(&step, &revoked_events, "n"), 2); /* blocked, retired */
}

/* ---- attaching ---- */

static void check_token(
	struct step *step, const Provision__Attachment *attachment, const char *device)
{
	Auth__Empty empty = AUTH__EMPTY__INIT;
	const Auth__KeySet *set;
	struct token_keys *keys;
	struct token_claims claims;

	ASSERT_OK(step, ASK_AUTH(step, "GetKeys", &empty, &set));
	cr_assert_eq(token_keys_create(&keys, set->jwks), OK);
	cr_assert_eq(token_verify(keys, attachment->access_token, strlen(attachment->access_token),
			     "lanyard", clock_unix_ms() / 1000, &claims),
		OK);
	token_keys_destroy(keys);
	cr_assert_str_eq(claims.subject, arena_printf(step->call.arena, "device:%s", device));
	cr_assert_str_eq(claims.tenant, step->call.tenant);
	cr_assert_str_eq(claims.role, "device");
	cr_assert_eq(claims.n_scopes, 2);
	cr_assert_str_eq(claims.network, attachment->network);
	cr_assert_str_eq(claims.member, attachment->member);
	cr_assert_str_eq(claims.mac, attachment->mac);
	cr_assert_eq(claims.mac_limit, 1);
	cr_assert_eq(claims.policy_version, 1);
	cr_assert_eq(claims.network_version, 1);
	cr_assert_str_eq(claims.ipv4, "10.77.0.1");
	cr_assert_str_eq(claims.ipv6, "fd00:7::1");
	cr_assert_not(claims.bridge || claims.isolated || claims.dhcp_server || claims.router ||
		      claims.address_guard || claims.no_broadcast || claims.no_multicast);
	cr_assert_eq(claims.storm_frames, 2000);
	cr_assert_eq(claims.storm_bytes, 2500000);
	cr_assert_eq(claims.expires_at - claims.issued_at, attachment->expires_in);
}

Test(provision_devices, an_attached_device_has_all_that_it_needs)
{
	const Provision__Network *network;
	const Provision__Enrolment *enrolment;
	const Provision__Attachment *attachment;
	const Provision__Device *device;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "office", "10.77.0.0/24", "fd00:7::/64", &network));
	ASSERT_OK(&step, enrol(&step, make_key(&step, network->id, 0, true), "r", &enrolment));
	ASSERT_OK(&step, attach(&step, enrolment->device, "", &attachment));
	cr_assert_str_eq(attachment->tenant, step.call.tenant);
	cr_assert_str_eq(attachment->network, network->id);
	cr_assert_str_eq(attachment->network_name, "office");
	cr_assert_str_eq(attachment->name, "r");
	cr_assert_str_eq(attachment->ipv4, "10.77.0.1/24");
	cr_assert_str_eq(attachment->ipv6, "fd00:7::1/64");
	cr_assert_eq(attachment->mtu, 1400);
	cr_assert_eq(attachment->n_urls, 2);
	cr_assert_str_eq(attachment->urls[1], "wss://two/l2");
	check_token(&step, attachment, enrolment->device);
	ASSERT_OK(&step, ask_ref(&step, "GetDevice", enrolment->device, 0, (const void **)&device));
	cr_assert_str_neq(device->attached_at, "");
	cr_assert_eq(device->version, 1);
}

Test(provision_devices, a_device_of_several_networks_names_the_one_it_means)
{
	const Provision__Network *office, *lab;
	const Provision__Enrolment *enrolment;
	const Provision__Attachment *attachment;
	const Provision__Member *member;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "office", "10.77.0.0/24", "", &office));
	ASSERT_OK(&step, make_network(&step, "lab", "", "", &lab));
	ASSERT_OK(&step, enrol(&step, make_key(&step, "", 0, true), "r", &enrolment));
	ASSERT_REFUSED(&step, attach(&step, enrolment->device, "", &attachment),
		ERR_FAILED_PRECONDITION, "network");
	ASSERT_OK(&step, make_member(&step, office->id, enrolment->device, &member));
	ASSERT_OK(&step, attach(&step, enrolment->device, "", &attachment));
	ASSERT_OK(&step, make_member(&step, lab->id, enrolment->device, &member));
	ASSERT_REFUSED(&step, attach(&step, enrolment->device, "", &attachment),
		ERR_INVALID_ARGUMENT, "network");
	ASSERT_OK(&step, attach(&step, enrolment->device, "lab", &attachment));
	cr_assert_str_eq(attachment->network, lab->id);
	cr_assert_str_eq(attachment->ipv4, "");
	ASSERT_OK(&step, attach(&step, enrolment->device, office->id, &attachment));
	cr_assert_str_eq(attachment->network_name, "office");
	ASSERT_REFUSED(&step, attach(&step, enrolment->device, "attic", &attachment), ERR_NOT_FOUND,
		"network");
}

/* ---- tenants ---- */

Test(provision_devices, a_tenant_neither_sees_nor_changes_what_is_anothers)
{
	const Provision__Network *network, *changed;
	const Provision__NetworkList *networks;
	const Provision__DeviceList *devices;
	const Provision__Enrolment *enrolment;
	const Provision__Attachment *attachment;
	const Provision__Device *device;
	Provision__ListRequest list = PROVISION__LIST_REQUEST__INIT;
	const void *nothing;
	AUTO_STEP step;
	AUTO_STEP other;

	step_open(&step, new_tenant());
	step_open(&other, new_tenant());
	ASSERT_OK(&step, make_network(&step, "n", "10.77.0.0/24", "", &network));
	ASSERT_OK(&step, enrol(&step, make_key(&step, network->id, 0, true), "r", &enrolment));
	ASSERT_OK(&other, ASK_PROVISION(&other, "ListNetworks", &list, &networks));
	cr_assert_eq(networks->n_items, 0);
	ASSERT_OK(&other, ASK_PROVISION(&other, "ListDevices", &list, &devices));
	cr_assert_eq(devices->n_items, 0);
	ASSERT_REFUSED(&other,
		ask_ref(&other, "GetNetwork", network->id, 0, (const void **)&changed),
		ERR_NOT_FOUND, "");
	ASSERT_REFUSED(&other, ask_ref(&other, "DeleteNetwork", network->id, 0, &nothing),
		ERR_NOT_FOUND, "");
	ASSERT_REFUSED(&other,
		update_device(&other, enrolment->device, 0, NULL, "blocked", &device),
		ERR_NOT_FOUND, "");
	ASSERT_REFUSED(&other, ask_ref(&other, "RetireDevice", enrolment->device, 0, &nothing),
		ERR_NOT_FOUND, "");
	ASSERT_REFUSED(
		&other, attach(&other, enrolment->device, "", &attachment), ERR_NOT_FOUND, "");
	ASSERT_OK(&step, attach(&step, enrolment->device, "", &attachment));
}
