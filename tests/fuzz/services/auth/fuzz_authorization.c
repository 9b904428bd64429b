/* authorization: any authorization request of a published app, so that no database is asked. */
#include "tests/fuzz/services/auth/oauth_input.h"

#include "services/auth/oauth/oauth.h"
#include "services/auth/oauth/redirect_uri.h"

#define APP "org.eduvpn.app.linux"

static bool is_whole(const Auth__AuthorizationRequest *request)
{
	const char *uri = request->redirect_uri;

	return strcmp(request->response_type, "code") == 0 && *request->state &&
	       strcmp(request->code_challenge_method, "S256") == 0 &&
	       strlen(request->code_challenge) == 43 &&
	       (strncmp(uri, "http://127.0.0.1:", strlen("http://127.0.0.1:")) == 0 ||
		       strncmp(uri, "http://[::1]:", strlen("http://[::1]:")) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	Auth__AuthorizationRequest request = AUTH__AUTHORIZATION_REQUEST__INIT;
	Auth__AuthorizationCheck reply = AUTH__AUTHORIZATION_CHECK__INIT;
	struct call call;

	call_init(&call, NULL, "service:fuzz", 1000);
	call.tenant = TENANT;
	oauth_input(&call, data, len, &request.base);
	(void)redirect_uri_allowed(request.redirect_uri);
	(void)redirect_uri_matches("http://127.0.0.1:{PORT}/callback", request.redirect_uri);
	if (*request.client_id)
		request.client_id = APP;
	if (check_authorization(&call, &request, &reply) != OK)
		BUG("a request that is wrong is a reply, not a fault");
	if (*reply.error == '\0' && !is_whole(&request))
		BUG("a request was taken that is not complete");
	call_finish(&call);
	return 0;
}
