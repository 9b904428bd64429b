/* credentials: the parser of the Authorization header (RFC 9110 section 11.6.2). Any thread. */
#include "gateway/credentials.h"

#include "lib/base64.h"

#include <sodium.h>

#include <string.h>
#include <strings.h>

#define API_KEY_PREFIX "lyk_"

static err_t refuse(struct call *call)
{
	return call_refuse(call, ERR_UNAUTHENTICATED, "Authorization",
		"expected Bearer with a token or API key, or Basic with a device and its secret");
}

/* token68 of RFC 9110 section 11.2: all that tokens, keys and base64 are made of. */
static bool is_token68(const char *text)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				  "0123456789-._~+/");

	return len > 0 && text[len + strspn(text + len, "=")] == '\0';
}

static err_t bearer_parse(struct call *call, const char *text, struct credentials *credentials)
{
	bool is_key = strncmp(text, API_KEY_PREFIX, strlen(API_KEY_PREFIX)) == 0;

	credentials->kind = is_key ? CREDENTIALS_API_KEY : CREDENTIALS_TOKEN;
	credentials->secret = arena_strdup(call->arena, text);
	return OK;
}

static err_t basic_parse(struct call *call, const char *text, struct credentials *credentials)
{
	size_t room = strlen(text), len = 0;
	char *decoded = arena_alloc(call->arena, room + 1);
	char *colon;

	if (!base64_decode(text, room, sodium_base64_VARIANT_ORIGINAL, decoded, room, &len) ||
		memchr(decoded, '\0', len) != NULL)
		return refuse(call);
	decoded[len] = '\0';
	if ((colon = strchr(decoded, ':')) == NULL)
		return refuse(call);
	*colon = '\0';
	credentials->kind = CREDENTIALS_DEVICE;
	credentials->device = decoded;
	credentials->secret = colon + 1;
	return OK;
}

err_t credentials_parse(struct call *call, const char *header, struct credentials *credentials)
{
	static const struct {
		const char *scheme;
		err_t (*parse)(struct call *call, const char *text, struct credentials *out);
	} schemes[] = { { "Bearer ", bearer_parse }, { "Basic ", basic_parse } };

	memset(credentials, 0, sizeof(*credentials));
	if (header == NULL)
		return OK;
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		size_t len = strlen(schemes[i].scheme);
		const char *text = header + len;

		if (strncasecmp(header, schemes[i].scheme, len) != 0)
			continue;
		text += strspn(text, " ");
		return is_token68(text) ? schemes[i].parse(call, text, credentials) : refuse(call);
	}
	return refuse(call);
}
