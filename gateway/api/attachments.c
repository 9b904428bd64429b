/* attachments: a device asks for a token and its address in a network. Which device, its
 * credentials say. */
#include "gateway/api/tables.h"

#include "gateway/request.h"
#include "proto/provision.pb-c.h"

#include <string.h>

static err_t attach(struct api_request *request)
{
	static const char prefix[] = "device:";
	static const char *const except[] = { "device", NULL };
	Provision__AttachRequest message = PROVISION__ATTACH_REQUEST__INIT;
	const char *subject = request->caller.subject;
	const ProtobufCMessage *reply;
	err_t err;

	if (strncmp(subject, prefix, strlen(prefix)) != 0)
		return call_refuse(request->call, ERR_PERMISSION_DENIED, "", "this is for devices");
	if ((err = request_read(request, except, &message.base)) != OK)
		return err;
	message.device = arena_strdup(request->call->arena, subject + strlen(prefix));
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
