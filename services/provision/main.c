/*
 * lanyard-provision: networks, members and their addresses, devices and their enrolment.
 *
 * Bus:    service Provision of proto/provision.proto; asks auth.
 * State:  schema provision (db/migrations/0003_provision.sql).
 * Events: publishes "member" and "network"; hears none.
 */
#include "lib/svc.h"
#include "services/provision/provision.h"

static struct {
	const char *dataplane_urls;
	struct urls urls; /* what dataplane_urls says */
} provision;

static const struct config_entry config[] = {
	{ "LANYARD_DATAPLANE_URLS", "wss://127.0.0.1:9443/l2", &provision.dataplane_urls,
		CONFIG_TEXT,
		"where devices reach the dataplane, in the order of preference, comma-separated", 0,
		0 },
	{ 0 },
};

static err_t attach(
	struct call *call, const Provision__AttachRequest *request, Provision__Attachment *reply)
{
	return attach_device(call, &provision.urls, request, reply);
}

/* clang-format off */
#define HANDLER(method, Request, Reply, REPLY) \
	BUS_HANDLER(Provision__Provision_Service, method, Provision__##Request, \
		Provision__##Reply, PROVISION__##REPLY##__INIT)

HANDLER(create_network, CreateNetworkRequest, Network, NETWORK)
HANDLER(get_network, Ref, Network, NETWORK)
HANDLER(list_networks, ListRequest, NetworkList, NETWORK_LIST)
HANDLER(update_network, UpdateNetworkRequest, Network, NETWORK)
HANDLER(delete_network, Ref, Empty, EMPTY)
HANDLER(enrol, EnrolRequest, Enrolment, ENROLMENT)
HANDLER(get_device, Ref, Device, DEVICE)
HANDLER(list_devices, ListRequest, DeviceList, DEVICE_LIST)
HANDLER(update_device, UpdateDeviceRequest, Device, DEVICE)
HANDLER(retire_device, Ref, Device, DEVICE)
HANDLER(create_member, CreateMemberRequest, Member, MEMBER)
HANDLER(get_member, Ref, Member, MEMBER)
HANDLER(list_members, ListRequest, MemberList, MEMBER_LIST)
HANDLER(update_member, UpdateMemberRequest, Member, MEMBER)
HANDLER(delete_member, Ref, Empty, EMPTY)
HANDLER(attach, AttachRequest, Attachment, ATTACHMENT)
/* clang-format on */

static Provision__Provision_Service service = PROVISION__PROVISION__INIT(on_);
static ProtobufCService *const services[] = { &service.base, NULL };

static err_t check(struct fault *fault)
{
	return urls_init(&provision.urls, provision.dataplane_urls, fault);
}

static const struct svc_definition definition = {
	.name = "provision",
	.summary = "networks, members and their addresses, devices and their enrolment",
	.config = config,
	.services = services,
	.schema = "provision",
	.check = check,
};

int main(int argc, char **argv)
{
	int status = svc_main(&definition, argc, argv);

	urls_finish(&provision.urls);
	return status;
}
