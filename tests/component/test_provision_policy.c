/*
 * Policy of members and rules of networks: what may be set, who is told of it, and what a device's
 * token says then.
 */
#include "tests/component/provision_fixture.h"

#include "lib/clock.h"
#include "lib/token.h"
#include "proto/event.pb-c.h"

#include <string.h>

TestSuite(provision_policy, .init = setup, .fini = teardown, .timeout = 120);

SQL(add_device, "INSERT INTO provision.device (tenant_id, name, state, tags, enrolment_key_id)"
		" VALUES ($1, $2, 'approved', '{}', '" NOBODY "') RETURNING id");
SQL(last_event, "SELECT encode(body, 'hex') AS body FROM fabric.event"
		" WHERE tenant_id = $1 AND topic = $2 ORDER BY id DESC LIMIT 1");
SQL(count_events, "SELECT count(*) AS n FROM fabric.event WHERE tenant_id = $1 AND topic = $2");

static const char *make_device(struct step *step, const char *name)
{
	AUTO_ROWS rows = sql(step, &add_device, PARAMS(step->call.tenant, name));
	Auth__IssueDeviceSecretRequest request = AUTH__ISSUE_DEVICE_SECRET_REQUEST__INIT;
	const char *id = arena_strdup(step->call.arena, db_text(rows, 0, "id"));
	const Auth__DeviceSecret *secret;

	request.device = (char *)(uintptr_t)id;
	ASSERT_OK(step, ASK_AUTH(step, "IssueDeviceSecret", &request, &secret));
	return id;
}

static long long n_events(struct step *step, const char *topic)
{
	AUTO_ROWS rows = sql(step, &count_events, PARAMS(step->call.tenant, topic));

	return db_int(rows, 0, "n");
}

/* The tenant's last event of that topic. */
static ProtobufCMessage *event_last(
	struct step *step, const char *topic, const ProtobufCMessageDescriptor *descriptor)
{
	AUTO_ROWS rows = sql(step, &last_event, PARAMS(step->call.tenant, topic));
	const char *hex = db_text(rows, 0, "body");
	uint8_t packed[1024];
	size_t len = strlen(hex) / 2;
	ProtobufCMessage *event;

	cr_assert_leq(len, sizeof(packed));
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(sscanf(hex + 2 * i, "%2hhx", &packed[i]), 1);
	event = protobuf_c_message_unpack(descriptor, NULL, len, packed);
	cr_assert_not_null(event);
	return event;
}

static struct token_claims attach(struct step *step, const char *device)
{
	Provision__AttachRequest request = PROVISION__ATTACH_REQUEST__INIT;
	const Provision__Attachment *attachment;
	Auth__Empty empty = AUTH__EMPTY__INIT;
	struct token_claims claims;
	struct token_keys *keys;
	const Auth__KeySet *set;

	request.device = (char *)(uintptr_t)device;
	ASSERT_OK(step, ASK_PROVISION(step, "Attach", &request, &attachment));
	ASSERT_OK(step, ASK_AUTH(step, "GetKeys", &empty, &set));
	cr_assert_eq(token_keys_create(&keys, set->jwks), OK);
	cr_assert_eq(token_verify(keys, attachment->access_token, strlen(attachment->access_token),
			     "lanyard", clock_unix_ms() / 1000, &claims),
		OK);
	token_keys_destroy(keys);
	return claims;
}

static err_t update_member(struct step *step, Provision__UpdateMemberRequest *request,
	const Provision__Member *was, const Provision__Member **member)
{
	request->id = was->id;
	request->version = was->version;
	return ASK_PROVISION(step, "UpdateMember", request, member);
}

static err_t set_mac(struct step *step, const Provision__Member *was, const char *mac,
	const Provision__Member **member)
{
	Provision__UpdateMemberRequest request = PROVISION__UPDATE_MEMBER_REQUEST__INIT;

	request.set_mac_case = PROVISION__UPDATE_MEMBER_REQUEST__SET_MAC_MAC;
	request.mac = (char *)(uintptr_t)mac;
	return update_member(step, &request, was, member);
}

static err_t set_limit(struct step *step, const Provision__Member *was, unsigned limit,
	const Provision__Member **member)
{
	Provision__UpdateMemberRequest request = PROVISION__UPDATE_MEMBER_REQUEST__INIT;

	request.set_mac_limit_case = PROVISION__UPDATE_MEMBER_REQUEST__SET_MAC_LIMIT_MAC_LIMIT;
	request.mac_limit = limit;
	return update_member(step, &request, was, member);
}

Test(provision_policy, a_members_policy_is_in_its_token_and_told_to_the_nodes)
{
	Provision__UpdateMemberRequest request = PROVISION__UPDATE_MEMBER_REQUEST__INIT;
	const Provision__Network *network;
	const Provision__Member *made, *member, *again;
	struct token_claims claims;
	Event__Member *event;
	const char *device;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "n", "10.77.0.0/24", "fd00:7::/64", &network));
	device = make_device(&step, "d");
	ASSERT_OK(&step, make_member(&step, network->id, device, &made));
	cr_assert_eq(made->mac_limit, 1);
	cr_assert_not(made->bridge || made->isolated || made->dhcp_server || made->router ||
		      made->address_guard);

	request.set_bridge_case = PROVISION__UPDATE_MEMBER_REQUEST__SET_BRIDGE_BRIDGE;
	request.set_mac_limit_case = PROVISION__UPDATE_MEMBER_REQUEST__SET_MAC_LIMIT_MAC_LIMIT;
	request.set_router_case = PROVISION__UPDATE_MEMBER_REQUEST__SET_ROUTER_ROUTER;
	request.bridge = request.router = true;
	request.mac_limit = 64;
	ASSERT_OK(&step, update_member(&step, &request, made, &member));
	cr_assert_eq(member->version, 2);
	cr_assert(member->bridge && member->router);
	cr_assert_eq(member->mac_limit, 64);
	cr_assert_str_eq(member->mac, made->mac);

	claims = attach(&step, device);
	cr_assert_eq(claims.policy_version, 2);
	cr_assert(claims.bridge && claims.router);
	cr_assert_not(claims.isolated || claims.dhcp_server || claims.address_guard);
	cr_assert_eq(claims.mac_limit, 64);
	event = (Event__Member *)event_last(&step, "member", &event__member__descriptor);
	cr_assert_str_eq(event->member, made->id);
	cr_assert_eq(event->policy_version, 2);
	cr_assert_not(event->removed);
	event__member__free_unpacked(event, NULL);

	/* What changes nothing ends no session. */
	ASSERT_OK(&step, update_member(&step, &request, member, &again));
	cr_assert_eq(again->version, 2);
	cr_assert_eq(n_events(&step, "member"), 2);
	ASSERT_REFUSED(&step, update_member(&step, &request, made, &again), ERR_FAILED_PRECONDITION,
		"version");
}

Test(provision_policy, a_mac_address_is_one_stations_and_one_members)
{
	static const char *const wrong[] = { "02:00:00:00:00", "02-00-00-00-00-01",
		"02:00:00:00:00:0G", "02:00:00:00:00:0A", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff",
		"01:00:5e:00:00:01", "02:00:00:00:00:01 " };
	const Provision__Network *network;
	const Provision__Member *a, *b, *same;
	const char *device;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "n", "10.77.0.0/24", "", &network));
	device = make_device(&step, "a");
	ASSERT_OK(&step, make_member(&step, network->id, device, &a));
	ASSERT_OK(&step, make_member(&step, network->id, make_device(&step, "b"), &b));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		ASSERT_REFUSED(
			&step, set_mac(&step, a, wrong[i], &same), ERR_INVALID_ARGUMENT, "mac");
	ASSERT_REFUSED(&step, set_mac(&step, a, b->mac, &same), ERR_ALREADY_EXISTS, "mac");

	/* Any number of members may have none of their own. */
	ASSERT_OK(&step, set_mac(&step, a, "", &a));
	ASSERT_OK(&step, set_mac(&step, b, "", &b));
	cr_assert_str_eq(a->mac, "");
	cr_assert_str_eq(attach(&step, device).mac, "");
	ASSERT_OK(&step, set_mac(&step, a, "02:00:00:00:00:01", &a));
	cr_assert_str_eq(attach(&step, device).mac, "02:00:00:00:00:01");
}

Test(provision_policy, the_limit_of_addresses_is_bounded_and_leaves_room_for_a_bridge)
{
	Provision__UpdateMemberRequest bridge = PROVISION__UPDATE_MEMBER_REQUEST__INIT;
	const Provision__Network *network;
	const Provision__Member *member, *same;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "n", "10.77.0.0/24", "", &network));
	ASSERT_OK(&step, make_member(&step, network->id, make_device(&step, "a"), &member));
	ASSERT_REFUSED(
		&step, set_limit(&step, member, 0, &same), ERR_INVALID_ARGUMENT, "mac_limit");
	ASSERT_REFUSED(
		&step, set_limit(&step, member, 4097, &same), ERR_INVALID_ARGUMENT, "mac_limit");
	bridge.set_bridge_case = PROVISION__UPDATE_MEMBER_REQUEST__SET_BRIDGE_BRIDGE;
	bridge.bridge = true;
	ASSERT_REFUSED(&step, update_member(&step, &bridge, member, &same), ERR_INVALID_ARGUMENT,
		"mac_limit");
	ASSERT_OK(&step, set_limit(&step, member, 4096, &member));
	ASSERT_OK(&step, update_member(&step, &bridge, member, &member));
	ASSERT_REFUSED(
		&step, set_limit(&step, member, 1, &same), ERR_INVALID_ARGUMENT, "mac_limit");
}

Test(provision_policy, a_networks_rules_are_in_every_token_and_told_to_the_nodes)
{
	Provision__UpdateNetworkRequest request = PROVISION__UPDATE_NETWORK_REQUEST__INIT;
	const Provision__Network *network, *changed;
	const Provision__Member *member;
	struct token_claims claims;
	Event__Network *event;
	const char *device;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "n", "10.77.0.0/24", "", &network));
	device = make_device(&step, "d");
	ASSERT_OK(&step, make_member(&step, network->id, device, &member));
	request.id = network->id;
	request.set_no_multicast_case =
		PROVISION__UPDATE_NETWORK_REQUEST__SET_NO_MULTICAST_NO_MULTICAST;
	request.no_multicast = true;
	request.set_storm_frames_case =
		PROVISION__UPDATE_NETWORK_REQUEST__SET_STORM_FRAMES_STORM_FRAMES;
	request.storm_frames = 1000001;
	ASSERT_REFUSED(&step, ASK_PROVISION(&step, "UpdateNetwork", &request, &changed),
		ERR_INVALID_ARGUMENT, "storm_frames");
	request.storm_frames = 50;
	ASSERT_OK(&step, ASK_PROVISION(&step, "UpdateNetwork", &request, &changed));
	cr_assert(changed->no_multicast);
	cr_assert_eq(changed->storm_frames, 50);
	cr_assert_eq(changed->storm_bytes, network->storm_bytes);

	claims = attach(&step, device);
	cr_assert_eq(claims.network_version, 2);
	cr_assert_eq(claims.policy_version, 1);
	cr_assert(claims.no_multicast && !claims.no_broadcast);
	cr_assert_eq(claims.storm_frames, 50);
	event = (Event__Network *)event_last(&step, "network", &event__network__descriptor);
	cr_assert_str_eq(event->network, network->id);
	cr_assert_eq(event->version, 2);
	cr_assert(event->no_multicast && !event->no_broadcast);
	cr_assert_eq(event->storm_frames, 50);
	cr_assert_eq(event->storm_bytes, network->storm_bytes);
	event__network__free_unpacked(event, NULL);
}
