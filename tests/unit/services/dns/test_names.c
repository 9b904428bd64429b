/* names: events and requests that are turned away before auth or the database are asked. */
#include "services/dns/names.h"

#include <criterion/criterion.h>

#define TENANT	"018f0000-0000-7000-8000-0000000000aa"
#define MEMBER	"018f0000-0000-7000-8000-000000000001"
#define NETWORK "018f0000-0000-7000-8000-0000000000a1"
#define DEVICE	"018f0000-0000-7000-8000-0000000000d1"

static struct call call; /* has neither bus nor db: whoever asks them crashes */
#define ZONE "lanyard.test"

static void setup(void)
{
	call_init(&call, NULL, "service:test", 1000);
	call.tenant = TENANT;
}

static void teardown(void)
{
	call_finish(&call);
}

TestSuite(names, .init = setup, .fini = teardown);

Test(names, wrong_events_are_passed_over)
{
	static const struct {
		const char *tenant, *member, *network, *network_name, *device, *device_name, *field;
		bool removed;
	} rows[] = {
		{ CALL_FLEET, MEMBER, NETWORK, "n", DEVICE, "d", "tenant", false },
		{ "", MEMBER, NETWORK, "n", DEVICE, "d", "tenant", true },
		{ TENANT, "1", NETWORK, "n", DEVICE, "d", "member", false },
		{ TENANT, "1", NETWORK, "n", DEVICE, "d", "member", true },
		{ TENANT, MEMBER, "", "n", DEVICE, "d", "network", false },
		{ TENANT, MEMBER, NETWORK, "a.b", DEVICE, "d", "network_name", false },
		{ TENANT, MEMBER, NETWORK, "", DEVICE, "d", "network_name", false },
		{ TENANT, MEMBER, NETWORK, "n", "x", "d", "device", false },
		{ TENANT, MEMBER, NETWORK, "n", DEVICE, "D", "device_name", false },
		{ TENANT, MEMBER, NETWORK, "n", DEVICE, "*", "device_name", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct names_tenants tenants = { NULL };
		Event__Member event = EVENT__MEMBER__INIT;

		event.member = (char *)rows[i].member;
		event.network = (char *)rows[i].network;
		event.network_name = (char *)rows[i].network_name;
		event.device = (char *)rows[i].device;
		event.device_name = (char *)rows[i].device_name;
		event.removed = rows[i].removed;
		call.tenant = rows[i].tenant;
		cr_expect_eq(names_apply(&tenants, &call, &event), OK, "row %zu", i);
		cr_expect_str_eq(call.fault.field, rows[i].field, "row %zu", i);
		names_tenants_finish(&tenants);
	}
}

Test(names, wrong_requests_are_refused)
{
	static const struct {
		const char *cursor, *network, *name, *field;
	} rows[] = {
		{ "x", "", "", "cursor" },
		{ "", "office", "", "network" },
		{ "", "", "router", "name" },
		{ "", "", "router.office.acme.example.org", "name" },
		{ "", "", "' OR true --.lanyard.test", "name" },
		{ "", "", "\xff.lanyard.test", "name" },
	};
	Dns__Ref ref = DNS__REF__INIT;
	Dns__Name name = DNS__NAME__INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		Dns__ListRequest request = DNS__LIST_REQUEST__INIT;
		Dns__NameList list = DNS__NAME_LIST__INIT;

		request.cursor = (char *)rows[i].cursor;
		request.network = (char *)rows[i].network;
		request.name = (char *)rows[i].name;
		cr_expect_eq(names_list(ZONE, &call, &request, &list), ERR_INVALID_ARGUMENT,
			"row %zu", i);
		cr_expect_str_eq(call.fault.field, rows[i].field, "row %zu", i);
	}
	cr_expect_eq(names_get(ZONE, &call, &ref, &name), ERR_INVALID_ARGUMENT);
	cr_expect_str_eq(call.fault.field, "id");
}
