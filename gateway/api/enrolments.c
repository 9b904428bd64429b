/* enrolments: a new device shows an enrolment key and becomes a device. The key says of which
 * tenant. */
#include "gateway/api/tables.h"

#include "gateway/request.h"
#include "proto/provision.pb-c.h"

/* The new device itself is what was created. */
static err_t enrol(struct api_request *request)
{
	Provision__EnrolRequest message = PROVISION__ENROL_REQUEST__INIT;
	const ProtobufCMessage *reply;
	const Provision__Enrolment *enrolment;
	err_t err;

	if ((err = request_read(request, NULL, &message.base)) != OK ||
		(err = api_call(request, &message.base, &reply)) != OK)
		return err;
	api_send(request, reply);
	enrolment = (const Provision__Enrolment *)reply;
	http_reply_add(request->reply, "Location",
		arena_printf(request->call->arena, "/v1/tenants/%s/devices/%s", enrolment->tenant,
			enrolment->device));
	return OK;
}

/* clang-format off */
#define SERVICE &provision__provision__descriptor

const struct route enrolments_routes[] = {
	ROUTE("POST", "/v1/enrolments", NULL, "Enrol",
		.status = HTTP_CREATED, .handler = enrol),
	{ .method = NULL },
};
/* clang-format on */
