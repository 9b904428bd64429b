/*
 * node_fixture: a node for real: lanyard-dataplane with auth, provision and rendezvous, a
 * PostgreSQL, a tenant with a network, devices in it, and clients that connect.
 */
#pragma once

#include "tests/component/service_fixture.h"
#include "tests/component/ws_client.h"

#include "proto/auth.pb-c.h"
#include "proto/dataplane.pb-c.h"
#include "proto/provision.pb-c.h"

#include <sodium.h>

#define FRAME_LEN	60
#define SQL(name, text) static const struct db_statement name = { text }

SQL(reset, "DELETE FROM fabric.instance WHERE id <> '" FIXTURE_SELF "'");

static struct fixture fixture;
static char auth_key_file[80];
static pid_t services[4]; /* the last one is the node */
static uint16_t port;
static char tenant[40], network[40];

#define NODE (services[3])

/* ---- calls ---- */

/* Calls and gives the reply, which lives as long as `call`; the test fails on a refusal. */
static const void *ask(struct call *call, const char *of_tenant,
	const ProtobufCServiceDescriptor *service, const char *method,
	const ProtobufCMessage *request)
{
	const ProtobufCMessage *reply = NULL;
	err_t err = fixture_call(&fixture, call, of_tenant, service, method, request, &reply);

	cr_assert_eq(err, OK, "%s: %s %s", method, err_name(err), call->fault.detail);
	return reply;
}

/* A device with its port's address and its ways to show who it is. */
struct device {
	char id[40];
	uint8_t mac[6];
	char basic[256];
	char bearer[4200];
};

static void mac_read(const char *text, uint8_t mac[6])
{
	cr_assert_eq(sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2],
			     &mac[3], &mac[4], &mac[5]),
		6);
}

static void device_attach(struct device *device)
{
	Provision__AttachRequest request = PROVISION__ATTACH_REQUEST__INIT;
	const Provision__Attachment *attachment;
	struct call call;

	request.device = device->id;
	attachment = ask(&call, tenant, &provision__provision__descriptor, "Attach", &request.base);
	mac_read(attachment->mac, device->mac);
	snprintf(device->bearer, sizeof(device->bearer), "Bearer %s", attachment->access_token);
	call_finish(&call);
}

static void device_enrol(struct device *device, const char *name)
{
	Auth__CreateEnrolmentKeyRequest key_request = AUTH__CREATE_ENROLMENT_KEY_REQUEST__INIT;
	Provision__EnrolRequest request = PROVISION__ENROL_REQUEST__INIT;
	const Provision__Enrolment *enrolment;
	const Auth__EnrolmentKey *key;
	struct call key_call, call;
	char pair[160];

	key_request.name = request.name = (char *)(uintptr_t)name;
	key_request.network = network;
	key_request.approve = true;
	key = ask(&key_call, tenant, &auth__auth__descriptor, "CreateEnrolmentKey",
		&key_request.base);
	request.enrolment_key = key->secret;
	enrolment =
		ask(&call, CALL_FLEET, &provision__provision__descriptor, "Enrol", &request.base);
	snprintf(device->id, sizeof(device->id), "%s", enrolment->device);
	snprintf(pair, sizeof(pair), "%s:%s", enrolment->device, enrolment->secret);
	strcpy(device->basic, "Basic ");
	sodium_bin2base64(device->basic + 6, sizeof(device->basic) - 6, (unsigned char *)pair,
		strlen(pair), sodium_base64_VARIANT_ORIGINAL);
	call_finish(&call);
	call_finish(&key_call);
	device_attach(device);
}

static void device_block(const struct device *device)
{
	Provision__UpdateDeviceRequest request = PROVISION__UPDATE_DEVICE_REQUEST__INIT;
	struct call call;

	request.id = (char *)(uintptr_t)device->id;
	request.set_state_case = PROVISION__UPDATE_DEVICE_REQUEST__SET_STATE_STATE;
	request.state = (char *)"blocked";
	ask(&call, tenant, &provision__provision__descriptor, "UpdateDevice", &request.base);
	call_finish(&call);
}

/* ---- the fleet ---- */

static bool node_refuses(const char *authorization)
{
	struct client client;
	int status;

	client_open(&client, port, "/l2", authorization);
	status = client.status;
	client_close(&client);
	return status == 401;
}

/* A token that is none is refused with 401 as soon as there are keys; before that with 503. */
static bool node_has_keys(void)
{
	return node_refuses("Bearer none");
}

/* And a device that is none as soon as the node can ask provision. */
static bool node_knows_provision(void)
{
	return node_refuses("Basic MDE4ZjAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMGZmOm5vbmU=");
}

/* The others know auth, and so on, when a call that needs them all works. */
static bool fleet_is_ready(void)
{
	Provision__EnrolRequest request = PROVISION__ENROL_REQUEST__INIT;
	const ProtobufCMessage *reply;
	struct call call;
	err_t err;

	request.enrolment_key = (char *)"lye_none";
	request.name = (char *)"a";
	err = fixture_call(&fixture, &call, CALL_FLEET, &provision__provision__descriptor, "Enrol",
		&request.base, &reply);
	call_finish(&call);
	return err == ERR_UNAUTHENTICATED;
}

static void start_services(void)
{
	static char auth_setting[128], provision_setting[128], listen[64];
	const char *const none[] = { NULL };
	const char *const of_auth[] = { auth_setting, NULL };
	const char *const of_provision[] = { provision_setting, NULL };
	const char *const of_node[] = { listen, NULL };
	FILE *key;

	snprintf(auth_key_file, sizeof(auth_key_file), "%s/auth-key", fixture.folder);
	key = fopen(auth_key_file, "we");
	cr_assert_not_null(key);
	fprintf(key, "%064d\n", 9);
	fclose(key);
	port = free_port();
	snprintf(auth_setting, sizeof(auth_setting), "LANYARD_AUTH_KEY_FILE=%s", auth_key_file);
	snprintf(provision_setting, sizeof(provision_setting), "LANYARD_PROVISION_KEY_FILE=%s",
		fixture.key_file);
	snprintf(listen, sizeof(listen), "LANYARD_LISTEN=127.0.0.1:%u", port);
	services[0] = service_start(&fixture, "auth", of_auth);
	services[1] = service_start(&fixture, "provision", of_provision);
	services[2] = service_start(&fixture, "rendezvous", none);
	services[3] = service_start(&fixture, "dataplane", of_node);
	service_await(&fixture, "auth", 1);
	service_await(&fixture, "provision", 1);
	service_await(&fixture, "rendezvous", 1);
	service_await(&fixture, "dataplane", 1);
}

static void make_tenant(void)
{
	Auth__CreateTenantRequest request = AUTH__CREATE_TENANT_REQUEST__INIT;
	Provision__CreateNetworkRequest network_request = PROVISION__CREATE_NETWORK_REQUEST__INIT;
	struct call call;
	char name[32];

	snprintf(name, sizeof(name), "t-%d", (int)getpid());
	request.name = name;
	snprintf(tenant, sizeof(tenant), "%s",
		((const Auth__Tenant *)ask(
			 &call, CALL_FLEET, &auth__auth__descriptor, "CreateTenant", &request.base))
			->id);
	call_finish(&call);
	network_request.name = (char *)"office";
	network_request.ipv4 = (char *)"10.77.0.0/24";
	snprintf(network, sizeof(network), "%s",
		((const Provision__Network *)ask(&call, tenant, &provision__provision__descriptor,
			 "CreateNetwork", &network_request.base))
			->id);
	call_finish(&call);
}

static void node_setup(void)
{
	fixture_open(&fixture, "test", NULL);
	fixture_sql(&fixture, &reset);
	start_services();
	AWAIT(fleet_is_ready());
	AWAIT(node_has_keys());
	AWAIT(node_knows_provision());
	make_tenant();
}

static void node_teardown(void)
{
	for (size_t i = ARRAY_LEN(services); i > 0; i--)
		if (services[i - 1] > 0)
			service_stop(services[i - 1]);
	unlink(auth_key_file);
	fixture_close(&fixture);
}

/* ---- clients ---- */

static inline void connect_as(struct client *client, const char *path, const char *authorization)
{
	client_open(client, port, path, authorization);
	cr_assert_eq(client->status, 101, "status %d", client->status);
}

static inline int status_of(const char *path, const char *authorization)
{
	struct client client;
	int status;

	client_open(&client, port, path, authorization);
	status = client.status;
	client_close(&client);
	return status;
}

/* Sends a frame of `len` bytes, filled with `fill`. */
static inline void send_frame(
	struct client *client, const uint8_t to[6], const uint8_t from[6], int fill, size_t len)
{
	uint8_t *frame = malloc(len);

	memset(frame, fill, len);
	memcpy(frame, to, 6);
	memcpy(frame + 6, from, 6);
	cr_assert(client_send(client, WS_BINARY, frame, len));
	free(frame);
}

static inline void expect_frame(struct client *client, const uint8_t from[6], int fill, size_t len)
{
	struct ws_message message;

	cr_assert(client_receive(client, &message), "closed: %u %s", client->close_status,
		client->close_reason);
	cr_assert_eq(message.opcode, WS_BINARY);
	cr_assert_eq(message.len, len);
	cr_assert_eq(memcmp(message.data + 6, from, 6), 0);
	cr_assert_eq(message.data[len - 1], fill);
}

/* The node has taken the session up: a handshake is answered a moment before that. */
static inline void await_sessions(size_t n)
{
	Dataplane__ListSessionsRequest request = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;
	size_t found = SIZE_MAX;

	for (int tries = 0; tries < 3000 && found != n; tries++) {
		struct call call;
		const Dataplane__SessionList *list = ask(&call, tenant,
			&dataplane__dataplane__descriptor, "ListSessions", &request.base);

		found = list->n_items;
		call_finish(&call);
		if (found != n)
			usleep(10 * 1000);
	}
	cr_assert_eq(found, n, "%zu sessions, not %zu", found, n);
}
