/* exchange: the token endpoint: which grant it is. Runs in the thread of the call. */
#include "services/auth/oauth/grant.h"
#include "services/auth/oauth/oauth.h"

#include "lib/mem.h"

#include <string.h>

static const struct {
	const char *grant_type;
	err_t (*redeem)(
		struct call *call, const Auth__TokenRequest *request, Auth__TokenReply *reply);
} grants[] = {
	{ "authorization_code", grant_code },
	{ "refresh_token", grant_refresh },
	{ "client_credentials", grant_client_credentials },
	{ "urn:ietf:params:oauth:grant-type:device_code", grant_device },
};

err_t exchange_token(struct call *call, const Auth__TokenRequest *request, Auth__TokenReply *reply)
{
	if (*request->grant_type == '\0')
		return grant_missing(call, reply, "grant_type");
	for (size_t i = 0; i < ARRAY_LEN(grants); i++)
		if (strcmp(grants[i].grant_type, request->grant_type) == 0)
			return grants[i].redeem(call, request, reply);
	return grant_invalid_request(reply, "invalid \"grant_type\"");
}
