/*
 * uwsgi: a cursor over the packet, and a table of the variables that are taken.
 */
#include "dataplane/vpnws/uwsgi.h"

#include "lib/mem.h"

#include <string.h>

struct cursor {
	const uint8_t *bytes;
	size_t left;
};

struct text {
	const uint8_t *bytes;
	size_t len;
};

struct variable {
	const char *name;
	size_t offset; /* in struct uwsgi_request */
	size_t size;
};

#define VARIABLE(name, member)                                                                     \
	{                                                                                          \
		name, offsetof(struct uwsgi_request, member),                                      \
			sizeof(((struct uwsgi_request *)NULL)->member)                             \
	}

static const struct variable variables[] = {
	VARIABLE("QUERY_STRING", query),
	VARIABLE("REMOTE_ADDR", address),
	VARIABLE("REMOTE_USER", user),
	VARIABLE("DN", dn),
	VARIABLE("HTTPS_DN", dn),
	VARIABLE("HTTP_SEC_WEBSOCKET_KEY", key),
	VARIABLE("HTTP_SEC_WEBSOCKET_PROTOCOL", protocols),
	VARIABLE("HTTP_X_VPN_WS_MAC", mac),
	VARIABLE("HTTP_X_VPN_WS_BRIDGE", bridge),
};

static size_t read_u16(const uint8_t *bytes)
{
	return (size_t)(bytes[0] | bytes[1] << 8);
}

static bool is_named(const struct text *name, const char *wanted)
{
	return name->len == strlen(wanted) && memcmp(name->bytes, wanted, name->len) == 0;
}

static const struct variable *find(const struct text *name)
{
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (is_named(name, variables[i].name))
			return &variables[i];
	return NULL;
}

/* Takes a length and as many bytes. */
static bool take_text(struct cursor *cursor, struct text *text)
{
	if (cursor->left < 2)
		return false;
	text->bytes = cursor->bytes + 2;
	text->len = read_u16(cursor->bytes);
	if (text->len > cursor->left - 2)
		return false;
	cursor->bytes += 2 + text->len;
	cursor->left -= 2 + text->len;
	return true;
}

static err_t value_copy(
	struct uwsgi_request *request, const struct variable *variable, const struct text *value)
{
	char *to = (char *)request + variable->offset;

	if (value->len >= variable->size)
		return ERR_OUT_OF_RANGE;
	if (memchr(value->bytes, '\0', value->len))
		return ERR_INVALID_ARGUMENT;
	memcpy(to, value->bytes, value->len);
	to[value->len] = '\0';
	return OK;
}

size_t uwsgi_packet_len(const uint8_t *bytes, size_t len)
{
	return len < UWSGI_HEADER_LEN ? 0 : UWSGI_HEADER_LEN + read_u16(bytes + 1);
}

err_t uwsgi_parse(
	const uint8_t *packet, size_t len, struct uwsgi_request *request, const char **field)
{
	struct cursor cursor = { packet + UWSGI_HEADER_LEN, len - UWSGI_HEADER_LEN };
	bool has_https_dn = false;
	err_t err = OK;

	if (uwsgi_packet_len(packet, len) != len)
		BUG("not a whole packet");
	*field = "";
	memset(request, 0, sizeof(*request));
	request->modifier1 = packet[0];
	while (err == OK && cursor.left > 0) {
		const struct variable *variable;
		struct text name, value;

		*field = "";
		if (!take_text(&cursor, &name) || name.len == 0 || !take_text(&cursor, &value))
			return ERR_INVALID_ARGUMENT;
		variable = find(&name);
		if (!variable || (has_https_dn && is_named(&name, "DN")))
			continue;
		has_https_dn = has_https_dn || is_named(&name, "HTTPS_DN");
		*field = variable->name;
		err = value_copy(request, variable, &value);
	}
	return err;
}
