/* site: see site.h. */
#include "gateway/oauth/site.h"

#include "gateway/compat/face.h"
#include "lib/json.h"
#include "proto/oauth.pb-c.h"

#include <ctype.h>
#include <string.h>

err_t site_enter(struct api_request *request)
{
	Auth__FindSiteRequest find = AUTH__FIND_SITE_REQUEST__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	find.host = face_host_name(request);
	request->call->tenant = CALL_FLEET;
	err = bus_call(request->call, &auth__oauth__descriptor, "FindSite", &find.base, &reply);
	if (err == OK)
		request->call->tenant = ((const Auth__SiteTenant *)reply)->tenant;
	return err;
}

const char *site_url(const struct api_request *request, const char *path)
{
	return arena_printf(request->call->arena, "https://%s%s", face_host(request), path);
}

void site_fill(const struct form *form, ProtobufCMessage *message)
{
	for (size_t i = 0; i < form->n; i++) {
		const char **field =
			json_field(message, form->parameters[i].name, PROTOBUF_C_TYPE_STRING);

		if (field != NULL)
			*field = form->parameters[i].value;
	}
}

bool site_is_own_form(const struct api_request *request)
{
	const struct headers *headers = &request->http->headers;
	const char *base = site_url(request, "");
	size_t len = strlen(base);

	if (headers->origin != NULL)
		return strcasecmp(headers->origin, base) == 0;
	return headers->referer != NULL && strncasecmp(headers->referer, base, len) == 0 &&
	       headers->referer[len] == '/';
}

const char *site_escape(struct arena *arena, const char *text)
{
	char *escaped = arena_alloc(arena, 3 * strlen(text) + 1), *end = escaped;

	for (; *text != '\0'; text++) {
		if (isalnum((unsigned char)*text) || strchr("-._~", *text) != NULL)
			*end++ = *text;
		else
			end += sprintf(end, "%%%02X", (unsigned char)*text);
	}
	return escaped;
}
