/* upgrade: see upgrade.h. */
#include "agents/upgrade.h"

#include "lib/mem.h"
#include "lib/ws.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SWITCHING_PROTOCOLS 101
#define BLANKS		    " \t"

__attribute__((format(printf, 3, 4))) static void add(
	char out[UPGRADE_REQUEST_MAX], size_t *len, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	*len += (size_t)vsnprintf(out + *len, UPGRADE_REQUEST_MAX - *len, format, args);
	va_end(args);
	if (*len >= UPGRADE_REQUEST_MAX)
		BUG("a request over %d bytes", UPGRADE_REQUEST_MAX);
}

size_t upgrade_write(char out[UPGRADE_REQUEST_MAX], const struct upgrade_request *request)
{
	const uint8_t *m = request->mac;
	char authority[URL_AUTHORITY_MAX];
	size_t len = 0;

	url_authority(request->url, authority);
	add(out, &len,
		"GET %s HTTP/1.1\r\n"
		"Host: %s\r\n"
		"Upgrade: websocket\r\n"
		"Connection: Upgrade\r\n"
		"Sec-WebSocket-Key: %s\r\n"
		"Sec-WebSocket-Version: 13\r\n"
		"User-Agent: lanyard/" LANYARD_VERSION "\r\n",
		request->url->path, authority, request->key);
	if (request->protocol != NULL)
		add(out, &len, "Sec-WebSocket-Protocol: %s\r\n", request->protocol);
	if (request->authorization != NULL)
		add(out, &len, "Authorization: %s\r\n", request->authorization);
	if (m != NULL)
		add(out, &len, "X-vpn-ws-MAC: %02x:%02x:%02x:%02x:%02x:%02x\r\n", m[0], m[1], m[2],
			m[3], m[4], m[5]);
	if (request->bridge)
		add(out, &len, "X-vpn-ws-bridge: on\r\n");
	add(out, &len, "\r\n");
	return len;
}

/* What the head said; each header here may be said once. */
struct seen {
	unsigned status;
	char location[URL_MAX];
	char upgrade[16];
	char connection[64];
	char accept[WS_ACCEPT_SIZE];
	char protocol[32];
	bool extension; /* none was asked for */
};

static err_t refuse(struct fault *fault, const char *why)
{
	return fault_set(fault, ERR_INVALID_ARGUMENT, "", "the handshake's reply %s", why);
}

/* Copies a header's value once; false if it came before or is too long. */
static bool keep(char *out, size_t size, const char *value, size_t len)
{
	if (out[0] != '\0' || len >= size || memchr(value, '\0', len) != NULL)
		return false;
	memcpy(out, value, len);
	out[len] = '\0';
	return true;
}

static bool is_name(const char *line, size_t len, const char *name)
{
	return strlen(name) == len && strncasecmp(line, name, len) == 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes the header `line` of `len` bytes. */
static bool take_header(struct seen *seen, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	const char *value, *end = line + len;
	size_t name_len;

	if (colon == NULL || colon == line || is_blank(line[0]) || is_blank(colon[-1]))
		return false;
	name_len = (size_t)(colon - line);
	for (value = colon + 1; value < end && is_blank(*value);)
		value++;
	while (end > value && is_blank(end[-1]))
		end--;
	len = (size_t)(end - value);
	if (is_name(line, name_len, "Upgrade"))
		return keep(seen->upgrade, sizeof(seen->upgrade), value, len);
	if (is_name(line, name_len, "Connection"))
		return keep(seen->connection, sizeof(seen->connection), value, len);
	if (is_name(line, name_len, "Sec-WebSocket-Accept"))
		return keep(seen->accept, sizeof(seen->accept), value, len);
	if (is_name(line, name_len, "Location"))
		return keep(seen->location, sizeof(seen->location), value, len);
	if (is_name(line, name_len, "Sec-WebSocket-Protocol"))
		return keep(seen->protocol, sizeof(seen->protocol), value, len);
	if (is_name(line, name_len, "Sec-WebSocket-Extensions"))
		seen->extension = true;
	return true;
}

/* Takes "HTTP/1.1 101 Switching Protocols". */
static bool take_status(struct seen *seen, const char *line, size_t len)
{
	if (len < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ' ||
		(len > 12 && line[12] != ' '))
		return false;
	for (size_t i = 9; i < 12; i++) {
		if (line[i] < '0' || line[i] > '9')
			return false;
		seen->status = seen->status * 10 + (unsigned)(line[i] - '0');
	}
	return true;
}

/* Is `token` in the comma-separated list? */
static bool has_token(const char *list, const char *token)
{
	for (const char *at = list; *at != '\0';) {
		size_t len = strcspn(at, "," BLANKS);

		if (is_name(at, len, token))
			return true;
		at += len;
		at += strspn(at, "," BLANKS);
	}
	return false;
}

static err_t check_switch(
	const struct seen *seen, const struct upgrade_request *request, struct fault *fault)
{
	char accept[WS_ACCEPT_SIZE];

	ws_accept(request->key, accept);
	if (strcasecmp(seen->upgrade, "websocket") != 0 || !has_token(seen->connection, "upgrade"))
		return refuse(fault, "switches to something that is no WebSocket");
	if (strcmp(seen->accept, accept) != 0)
		return refuse(fault, "has a wrong Sec-WebSocket-Accept: a cache or another server "
				     "answers there");
	if (seen->extension || (seen->protocol[0] != '\0' &&
				       (request->protocol == NULL ||
					       strcmp(seen->protocol, request->protocol) != 0)))
		return refuse(fault, "has an extension or subprotocol that was not asked for");
	return OK;
}

err_t upgrade_read(struct upgrade *upgrade, const char *head, size_t len,
	const struct upgrade_request *request, struct fault *fault)
{
	const char *end = memmem(head, len, "\r\n\r\n", 4);
	const char *line = head;
	struct seen seen = { 0 };

	if (end == NULL)
		return len < UPGRADE_HEAD_MAX ? ERR_OUT_OF_RANGE
					      : refuse(fault, "has a head over 8192 bytes");
	while (line < end + 2) {
		const char *next = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
		size_t line_len = (size_t)(next - line);

		if (line == head ? !take_status(&seen, line, line_len)
				 : !take_header(&seen, line, line_len))
			return refuse(fault, "is not HTTP as it should be");
		line = next + 2;
	}
	if (seen.status == SWITCHING_PROTOCOLS && check_switch(&seen, request, fault) != OK)
		return ERR_INVALID_ARGUMENT;
	upgrade->head_len = (size_t)(end - head) + 4;
	upgrade->status = seen.status;
	upgrade->protocol = seen.protocol[0] != '\0';
	memcpy(upgrade->location, seen.location, sizeof(upgrade->location));
	return OK;
}
