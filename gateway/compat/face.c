/* face: see face.h. In workers. */
#include "gateway/compat/face.h"

#include "lib/base64.h"
#include "lib/json.h"
#include "proto/dns.pb-c.h"

#include <sodium.h>

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define CREDENTIALS_MAX 512

const struct route *const face_tables[] = {
	registration_routes,
	challenge_routes,
	oauth_token_routes,
	oauth_page_routes,
	account_page_routes,
	password_page_routes,
	own_factor_page_routes,
	invitation_page_routes,
	provider_page_routes,
	est_routes,
	eduvpn_discovery_routes,
	eduvpn_list_routes,
	NULL,
};

static bool is_one_of(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list != '\0') {
		size_t step = strcspn(list, ",");

		if (step == len && memcmp(list, word, len) == 0)
			return true;
		list += step + (list[step] == ',' ? 1 : 0);
	}
	return false;
}

static bool is_address(const char *text)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

const char *face_address(const struct api_request *request)
{
	const char *told = request->http->headers.real_ip;
	const char *proxies = request->api->proxies;

	if (told != NULL && proxies != NULL && is_one_of(proxies, request->http->address) &&
		is_address(told))
		return told;
	return request->http->address;
}

const char *face_host(const struct api_request *request)
{
	return request->http->headers.host != NULL ? request->http->headers.host : "";
}

char *face_host_name(const struct api_request *request)
{
	const char *host = face_host(request);
	char *name = arena_strndup(request->call->arena, host,
		host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":"));

	for (char *at = name; *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at | 0x20);
	return name;
}

static const char *after_scheme(const struct api_request *request, const char *scheme)
{
	const char *header = request->http->headers.authorization;
	size_t len = strlen(scheme);

	if (header == NULL || strncasecmp(header, scheme, len) != 0 || header[len] != ' ')
		return NULL;
	return header + len + strspn(header + len, " ");
}

const char *face_bearer(const struct api_request *request)
{
	return after_scheme(request, "Bearer");
}

bool face_basic(struct api_request *request, const char **user, const char **password)
{
	const char *encoded = after_scheme(request, "Basic");
	char *text, *colon;
	size_t len;

	if (encoded == NULL)
		return false;
	text = arena_alloc(request->call->arena, CREDENTIALS_MAX + 1);
	if (!base64_decode(encoded, strlen(encoded), sodium_base64_VARIANT_ORIGINAL, text,
		    CREDENTIALS_MAX, &len) ||
		memchr(text, '\0', len) != NULL || (colon = strchr(text, ':')) == NULL)
		return false;
	*colon = '\0';
	*user = text;
	*password = colon + 1;
	return true;
}

err_t face_dns(struct api_request *request, const char *method, const ProtobufCMessage *message,
	const ProtobufCMessage **reply)
{
	return bus_call(request->call, &dns__dns__descriptor, method, message, reply);
}

void face_reply(struct api_request *request, enum http_status status, const char *content_type,
	const char *text)
{
	request->reply->status = status;
	request->reply->content_type = text != NULL ? content_type : NULL;
	request->reply->body = text;
	request->reply->body_len = text != NULL ? strlen(text) : 0;
}

void face_reply_json(
	struct api_request *request, enum http_status status, const ProtobufCMessage *message)
{
	face_reply(request, status, "application/json",
		json_write(request->call->arena, message, NULL));
}
