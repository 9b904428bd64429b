/* token_request: any token request of a published app, up to where the database is asked. */
#include "tests/fuzz/services/auth/oauth_input.h"

#include "lib/mem.h"
#include "services/auth/oauth/oauth.h"
#include "services/auth/secret.h"

#define APP "org.eduvpn.app.linux"

/* A secret of the right form is looked up. */
static bool asks_database(const Auth__TokenRequest *request)
{
	const struct {
		enum keyring_use kind;
		const char *text;
	} secrets[] = {
		{ KEYRING_OAUTH_CODE, request->code },
		{ KEYRING_REFRESH_TOKEN, request->refresh_token },
		{ KEYRING_DEVICE_CODE, request->device_code },
		{ KEYRING_API_KEY, request->basic_password },
	};
	struct secret secret;

	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		if (secret_read(secrets[i].kind, secrets[i].text, NULL, &secret))
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool opened;
	Auth__TokenRequest request = AUTH__TOKEN_REQUEST__INIT;
	Auth__TokenReply reply = AUTH__TOKEN_REPLY__INIT;
	struct call call;
	err_t err;

	if (!opened)
		oauth_open_keyring();
	opened = true;
	call_init(&call, NULL, "service:fuzz", 1000);
	call.tenant = TENANT;
	oauth_input(&call, data, len, &request.base);
	if (*request.client_id)
		request.client_id = APP;
	request.basic_user = "";
	if (!asks_database(&request) && *request.client_id) {
		err = exchange_token(&call, &request, &reply);
		if (err != OK || *reply.error == '\0' || *reply.access_token)
			BUG("tokens for nothing");
	}
	call_finish(&call);
	return 0;
}
