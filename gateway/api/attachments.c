/* attachments: a device asks for a token and its address in a network. Which device, its
 * credentials say. */
#include "gateway/api/tables.h"

#include "gateway/request.h"
#include "proto/provision.pb-c.h"

static err_t attach(struct api_request *request)
{
	Provision__AttachRequest message = PROVISION__ATTACH_REQUEST__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	if ((err = request_read_own(request, &message.base)) != OK)
		return err;
	if ((err = api_call(request, &message.base, &reply)) == OK)
		api_send(request, reply);
	return err;
}

/* clang-format off */
#define SERVICE &provision__provision__descriptor

const struct route attachments_routes[] = {
	ROUTE("POST", "/v1/attachments", "network:attach", "Attach",
		.flags = ROUTE_REPEATABLE, .handler = attach),
	{ .method = NULL },
};
/* clang-format on */
