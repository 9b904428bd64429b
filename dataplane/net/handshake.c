/*
 * handshake: see handshake.h.
 */
#include "dataplane/net/handshake.h"

#include "dataplane/counters.h"

#include <libwebsockets.h>

#include <stdio.h>
#include <string.h>

#define KEY_MAX	  64 /* an honest Sec-WebSocket-Key has 24, that of old clients 16 */
#define REPLY_MAX 512

/* Copies a header; false if it does not fit. */
static bool header_copy(struct lws *wsi, enum lws_token_indexes token, char *out, size_t size)
{
	int len = lws_hdr_total_length(wsi, token);

	*out = '\0';
	if (len <= 0)
		return true;
	return (size_t)len < size && lws_hdr_copy(wsi, out, (int)size, token) > 0;
}

/* Copies an argument of the query ("nonce="); false if it does not fit. */
static bool argument_copy(struct lws *wsi, const char *name, char *out, size_t size)
{
	char text[512];
	const char *value = lws_get_urlarg_by_name(wsi, name, text, sizeof(text));

	*out = '\0';
	if (!value)
		return true;
	if (strlen(value) >= size)
		return false;
	memcpy(out, value, strlen(value) + 1);
	return true;
}

int handshake_read(struct lws *wsi, struct channel_request *request, const char **why)
{
	if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) <= 0) {
		*why = "WebSocket begins with GET.";
		return 405;
	}
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HOST) <= 0 ||
		lws_hdr_total_length(wsi, WSI_TOKEN_KEY) <= 0 ||
		lws_hdr_total_length(wsi, WSI_TOKEN_KEY) > KEY_MAX) {
		*why = "Host and a Sec-WebSocket-Key are needed.";
		return 400;
	}
	if (!header_copy(wsi, WSI_TOKEN_GET_URI, request->path, sizeof(request->path)) ||
		!argument_copy(wsi, "nonce=", request->nonce, sizeof(request->nonce)) ||
		!argument_copy(wsi, "network=", request->network, sizeof(request->network))) {
		*why = "The path or a part of the query is too long.";
		return 414;
	}
	if (!header_copy(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, request->authorization,
		    sizeof(request->authorization))) {
		*why = "Authorization is too long.";
		return 431;
	}
	return 0;
}

static const char *status_text(int status)
{
	switch (status) {
	case 401:
		return "Unauthorized\r\nWWW-Authenticate: Bearer, Basic realm=\"lanyard\"";
	case 403:
		return "Forbidden";
	case 405:
		return "Method Not Allowed\r\nAllow: GET";
	case 414:
		return "URI Too Long";
	case 426:
		return "Upgrade Required\r\nUpgrade: websocket";
	case 431:
		return "Request Header Fields Too Large";
	case 503:
		return "Service Unavailable\r\nRetry-After: 1";
	default:
		return "Bad Request";
	}
}

int handshake_refuse(struct lws *wsi, int status, const char *why)
{
	unsigned char reply[LWS_PRE + REPLY_MAX];
	int len = snprintf((char *)reply + LWS_PRE, REPLY_MAX,
		"HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
		"Connection: close\r\n\r\n%s\n",
		status, status_text(status), strlen(why) + 1, why);

	counter_add(COUNTER_HANDSHAKES_REFUSED, 1);
	if (len > 0 && len < REPLY_MAX)
		lws_write(wsi, reply + LWS_PRE, (size_t)len, LWS_WRITE_HTTP);
	return HANDSHAKE_END;
}

/*
 * Upgrades to anything but websocket end here: the library offers h2c, and for a protocol it does
 * not know it goes on with freed memory after its reply (fixed upstream by 2f082ec31), so that the
 * value it hands to the callback must not be looked at.
 */
int handshake_check_upgrade(struct lws *wsi)
{
	char protocol[16];

	if (!header_copy(wsi, WSI_TOKEN_UPGRADE, protocol, sizeof(protocol)))
		return HANDSHAKE_END;
	return strcasecmp(protocol, "websocket") == 0 ? 0 : HANDSHAKE_END;
}
