/* authorizer_answer: see authorizer_answer.h. */
#include "dataplane/nymea/authorizer_answer.h"

#include "dataplane/nymea/guid.h"
#include "lib/utf8.h"

#include <jansson.h>

#define FAILED	    "AuthenticationErrorAuthenticationFailed"
#define PROXY_ERROR "AuthenticationErrorProxyError"

static void take_text(const json_t *object, const char *key, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (text)
		utf8_copy(out, size, text);
}

void authorizer_answer_http(struct verdict *verdict, long status, const char *body, size_t len)
{
	json_t *answer = status == 200 ? json_loadb(body, len, 0, NULL) : NULL;
	const char *tenant = json_string_value(json_object_get(answer, "tenant"));

	if (status == 401 || status == 403)
		verdict->error = FAILED;
	else if (!json_is_boolean(json_object_get(answer, "allowed")))
		verdict->error = PROXY_ERROR;
	else if (json_is_false(json_object_get(answer, "allowed")))
		verdict->error = FAILED;
	else if (tenant && !guid_parse(tenant, verdict->tenant))
		verdict->error = PROXY_ERROR;
	take_text(answer, "name", verdict->user, sizeof(verdict->user));
	json_decref(answer);
}

void authorizer_answer_aws(struct verdict *verdict, const char *body, size_t len)
{
	json_t *answer = json_loadb(body, len, 0, NULL);
	const json_t *data = json_object_get(answer, "verifiedData");

	if (!json_is_object(answer) || json_object_size(answer) == 0)
		verdict->error = PROXY_ERROR;
	else if (!json_is_true(json_object_get(answer, "isValid")))
		verdict->error = FAILED;
	take_text(json_object_get(data, "verifiedParsedToken"), "email", verdict->user,
		sizeof(verdict->user));
	json_decref(answer);
}
