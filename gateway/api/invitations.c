/* invitations: links by which people become users. The link is in the reply to POST only. */
#include "gateway/api/tables.h"

#include "gateway/compat/face.h"
#include "gateway/request.h"
#include "proto/invitation.pb-c.h"

#include <string.h>

/* The site is reached at the same port as the API. */
static const char *port_of(const struct api_request *request)
{
	const char *host = face_host(request), *colon = strrchr(host, ':');

	return colon != NULL && strchr(colon, ']') == NULL ? colon : "";
}

static err_t create_invitation(struct api_request *request)
{
	Auth__CreateInvitationRequest message = AUTH__CREATE_INVITATION_REQUEST__INIT;
	const ProtobufCMessage *reply;
	Auth__Invitation invitation;
	err_t err;

	if ((err = request_read(request, NULL, &message.base)) != OK ||
		(err = api_call(request, &message.base, &reply)) != OK)
		return err;
	invitation = *(const Auth__Invitation *)reply;
	invitation.url = arena_printf(request->call->arena, "https://%s%s%s", invitation.site,
		port_of(request), invitation.url);
	api_send(request, &invitation.base);
	return OK;
}

/* clang-format off */
#define SERVICE &auth__invitations__descriptor

const struct route invitations_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/invitations", "users:read", "ListInvitations",
		.query = "cursor limit name"),
	ROUTE("POST", "/v1/tenants/{tenant}/invitations", "users:write", "CreateInvitation",
		.status = HTTP_CREATED, .handler = create_invitation),
	ROUTE("GET", "/v1/tenants/{tenant}/invitations/{id}", "users:read", "GetInvitation"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/invitations/{id}", "users:write", "DeleteInvitation",
		.status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
