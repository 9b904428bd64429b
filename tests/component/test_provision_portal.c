/*
 * provision for real: what the VPN sees of devices that fetch packages: which credentials are good,
 * when the old ones end, and when a package is taken back. What devices themselves ask is tested
 * over HTTP (tests/e2e/test_we500.py).
 */
#include "tests/component/provision_fixture.h"

#include "proto/certificates.pb-c.h"
#include "proto/portal.pb-c.h"

TestSuite(provision_portal, .init = setup, .fini = teardown, .timeout = 120);

#define ASK_PORTAL(step, method, request, reply)                                                   \
	ask(step, &provision__portals__descriptor, method, &(request)->base, (const void **)(reply))
#define CONF	     "client\ndev tap\nremote vpn.example.org 1194\nca ca.crt\nauth-user-pass credentials\n"
#define PASSWORD_LEN 48

/* ---- calls ---- */

/* A tenant's portal with one device. */
static const Provision__PortalDevice *make_device(struct step *step)
{
	Provision__UpdatePortalRequest update = PROVISION__UPDATE_PORTAL_REQUEST__INIT;
	Provision__CreatePortalDeviceRequest create = PROVISION__CREATE_PORTAL_DEVICE_REQUEST__INIT;
	const Provision__PortalDevice *device;
	const Provision__Portal *portal;

	update.set_client_conf_case = PROVISION__UPDATE_PORTAL_REQUEST__SET_CLIENT_CONF_CLIENT_CONF;
	update.client_conf = CONF;
	ASSERT_OK(step, ASK_PORTAL(step, "UpdatePortal", &update, &portal));
	create.name = "pump";
	create.serial = arena_printf(step->call.arena, "SN-%s", step->call.tenant);
	ASSERT_OK(step, ASK_PORTAL(step, "CreatePortalDevice", &create, &device));
	return device;
}

static const Provision__PortalDevice *ask_device(
	struct step *step, const char *method, const Provision__PortalDevice *device)
{
	Provision__Ref request = PROVISION__REF__INIT;
	const Provision__PortalDevice *reply;

	request.id = device->id;
	ASSERT_OK(step, ASK_PORTAL(step, method, &request, &reply));
	return reply;
}

/* The device fetches its package and says so; what a VPN server would be shown then. */
static Provision__AuthorizeVpnRequest bring_up(
	struct step *step, const Provision__PortalDevice *device)
{
	Provision__PortalRequest who = PROVISION__PORTAL_REQUEST__INIT;
	Provision__FetchPackageRequest fetch = PROVISION__FETCH_PACKAGE_REQUEST__INIT;
	Provision__ListCertificatesRequest list = PROVISION__LIST_CERTIFICATES_REQUEST__INIT;
	Provision__AuthorizeVpnRequest shown = PROVISION__AUTHORIZE_VPN_REQUEST__INIT;
	const Provision__CertificateList *certificates;
	Provision__NoteDeliveryRequest delivery = PROVISION__NOTE_DELIVERY_REQUEST__INIT;
	const Provision__PackageArchive *archive;
	const Provision__PortalStatus *status;
	const Provision__Empty *nothing;
	const char *tenant = step->call.tenant,
		   *line = arena_printf(step->call.arena, "%s\n", device->id);
	const char *credentials;

	who.serial = device->serial;
	who.password = device->secret;
	fetch.who = &who;
	step->call.tenant = CALL_FLEET;
	ASSERT_OK(step, ASK_PORTAL(step, "FetchPackage", &fetch, &archive));
	delivery.device = archive->device;
	delivery.package = archive->package;
	step->call.tenant = tenant;
	cr_assert_str_eq(archive->tenant, tenant);
	cr_assert_neq(ask_device(step, "GetPortalDevice", device)->delivered, archive->package);
	ASSERT_OK(step, ASK_PORTAL(step, "NoteDelivery", &delivery, &nothing));
	cr_assert_eq(ask_device(step, "GetPortalDevice", device)->delivered, archive->package);
	step->call.tenant = CALL_FLEET;
	ASSERT_OK(step, ASK_PORTAL(step, "AcknowledgePackage", &who, &status));
	ASSERT_OK(step, ASK_PORTAL(step, "PollPortal", &who, &status));
	step->call.tenant = tenant;
	cr_assert_eq(status->status, 2);
	credentials = memmem(archive->tar.data, archive->tar.len, line, strlen(line));
	cr_assert_not_null(credentials);
	list.subject = device->id;
	ASSERT_OK(step, ask(step, &provision__certificates__descriptor, "ListCertificates",
				&list.base, (const void **)&certificates));
	shown.device = shown.username = device->id;
	shown.password = arena_strndup(step->call.arena, credentials + strlen(line), PASSWORD_LEN);
	shown.serial = certificates->items[certificates->n_items - 1]->serial;
	return shown;
}

static err_t authorize(struct step *step, const Provision__AuthorizeVpnRequest *shown)
{
	const Provision__Empty *nothing;

	return ASK_PORTAL(step, "AuthorizeVpn", shown, &nothing);
}

/* ---- tests ---- */

/* Contract statement 25. */
Test(provision_portal, old_credentials_work_until_the_new_ones_are_used_and_never_after)
{
	Provision__AuthorizeVpnRequest old, new;
	const Provision__PortalDevice *device;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	device = make_device(&step);
	old = bring_up(&step, device);
	ASSERT_OK(&step, authorize(&step, &old));
	cr_assert_str_eq(ask_device(&step, "GetPortalDevice", device)->state, "connected");
	ask_device(&step, "PublishPackage", device);
	new = bring_up(&step, device);
	ASSERT_OK(&step, authorize(&step, &old));
	ASSERT_OK(&step, authorize(&step, &new));
	ASSERT_REFUSED(&step, authorize(&step, &old), ERR_PERMISSION_DENIED, "");
	ASSERT_OK(&step, authorize(&step, &new));
	cr_assert_eq(ask_device(&step, "GetPortalDevice", device)->good, 2);
}

Test(provision_portal, what_does_not_belong_together_is_refused)
{
	Provision__AuthorizeVpnRequest one, other, mixed;
	const Provision__PortalDevice *device;
	AUTO_STEP step;
	AUTO_STEP stranger;

	step_open(&step, new_tenant());
	step_open(&stranger, new_tenant());
	device = make_device(&step);
	one = bring_up(&step, device);
	other = bring_up(&stranger, make_device(&stranger));
	mixed = one;
	mixed.password = other.password;
	ASSERT_REFUSED(&step, authorize(&step, &mixed), ERR_PERMISSION_DENIED, "");
	mixed = one;
	mixed.serial = other.serial;
	ASSERT_REFUSED(&step, authorize(&step, &mixed), ERR_PERMISSION_DENIED, "");
	mixed = one;
	mixed.username = other.username;
	ASSERT_REFUSED(&step, authorize(&step, &mixed), ERR_PERMISSION_DENIED, "");
	ASSERT_REFUSED(&step, authorize(&step, &other), ERR_PERMISSION_DENIED, "");
	ASSERT_OK(&step, authorize(&step, &one));
}

SQL(age, "UPDATE provision.portal_device SET acknowledged_at = acknowledged_at - interval '1 hour'"
	 " WHERE tenant_id = $1");

/* Contract statement 65: the task runs when the service starts, and then each minute. */
Test(provision_portal, a_package_that_never_connects_is_taken_back_once)
{
	const Provision__PortalDevice *device;
	Provision__AuthorizeVpnRequest good, again;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	device = make_device(&step);
	good = bring_up(&step, device);
	ASSERT_OK(&step, authorize(&step, &good));
	ask_device(&step, "PublishPackage", device);
	bring_up(&step, device);
	db_rows_destroy_at(&(struct db_rows *){ sql(&step, &age, PARAMS(step.call.tenant)) });
	restart_provision();
	AWAIT(ask_device(&step, "GetPortalDevice", device)->bad == 2);
	cr_assert_eq(ask_device(&step, "GetPortalDevice", device)->current, 1);
	cr_assert_str_eq(ask_device(&step, "GetPortalDevice", device)->state, "pending");
	again = bring_up(&step, device);
	cr_assert_str_eq(again.password, good.password);
	ASSERT_OK(&step, authorize(&step, &good));
}
