/* test_provision_request: the checks that several handlers share. */
#include "services/provision/request.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#define UUID "01890a5d-ac96-774b-bcce-b302099a8057"

static const struct {
	const char *cursor, *name, *state, *network, *device;
	const char *field; /* that is refused; NULL: none */
} lists[] = {
	{ "", "", "", "", "", NULL },
	{ UUID, "router-1", "pending", UUID, UUID, NULL },
	{ "", "", "retired", "", "", NULL },
	{ "1", "", "", "", "", "cursor" },
	{ "", "No Label", "", "", "", "name" },
	{ "", "a' OR 1=1 --", "", "", "", "name" },
	{ "", "", "Approved", "", "", "state" },
	{ "", "", "", "office", "", "network" },
	{ "", "", "", "", "01890A5D-AC96-774B-BCCE-B302099A8057", "device" },
};

Test(request, list)
{
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		Provision__ListRequest request = PROVISION__LIST_REQUEST__INIT;
		struct call call = { 0 };
		err_t err;

		request.cursor = (char *)lists[i].cursor;
		request.name = (char *)lists[i].name;
		request.state = (char *)lists[i].state;
		request.network = (char *)lists[i].network;
		request.device = (char *)lists[i].device;
		err = request_check_list(&call, &request);
		cr_assert_eq(err, lists[i].field == NULL ? OK : ERR_INVALID_ARGUMENT, "row %zu", i);
		if (err != OK)
			cr_assert_str_eq(call.fault.field, lists[i].field);
	}
}

static const struct {
	int64_t wanted, version;
	err_t err;
} versions[] = {
	{ 0, 1, OK },
	{ 0, 9, OK },
	{ 9, 9, OK },
	{ 8, 9, ERR_FAILED_PRECONDITION },
	{ 10, 9, ERR_FAILED_PRECONDITION },
	{ -9, 9, ERR_FAILED_PRECONDITION },
};

Test(request, version)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct call call = { 0 };
		err_t err = request_check_version(&call, versions[i].wanted, versions[i].version);

		cr_assert_eq(err, versions[i].err, "row %zu", i);
		if (err != OK)
			cr_assert_str_eq(call.fault.field, "version");
	}
}
