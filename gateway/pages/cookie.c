/* cookie: see cookie.h. */
#include "gateway/pages/cookie.h"

#include <string.h>

const char *cookie_get(struct api_request *request, const char *name)
{
	const char *at = request->http->headers.cookie;
	size_t len = strlen(name);

	while (at != NULL && *at != '\0') {
		size_t step = strcspn(at, ";");

		if (step > len && strncmp(at, name, len) == 0 && at[len] == '=')
			return arena_strndup(request->call->arena, at + len + 1, step - len - 1);
		at += step;
		at += strspn(at, "; ");
	}
	return "";
}

void cookie_set(struct api_request *request, const char *name, const char *secret, const char *more)
{
	http_reply_add(request->reply, "Set-Cookie",
		arena_printf(request->call->arena,
			"%s=%s; Path=/; Secure; HttpOnly; SameSite=Lax%s", name, secret, more));
}
