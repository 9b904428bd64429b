/* static_key: see static_key.h. */
#include "services/provision/static_key.h"

#include <sodium.h>

#include <string.h>

#define KEY_MAX	   2048
#define KEY_BYTES  256
#define LINE_BYTES 16
#define BEGIN	   "-----BEGIN OpenVPN Static key V1-----\n"
#define END	   "-----END OpenVPN Static key V1-----\n"

err_t static_key_check(struct call *call, const char *field, const char *key)
{
	const char *body = strstr(key, BEGIN);
	const char *last = strstr(key, END);

	if (*key == '\0')
		return OK;
	if (strlen(key) <= KEY_MAX && body != NULL && last != NULL && body < last &&
		last[strlen(END)] == '\0' &&
		strspn(body + strlen(BEGIN), "0123456789abcdef\n") ==
			(size_t)(last - body) - strlen(BEGIN))
		return OK;
	return call_refuse(call, ERR_INVALID_ARGUMENT, field,
		"expected an OpenVPN static key, as openvpn --genkey secret FILE makes it");
}

const char *static_key_create(struct arena *arena)
{
	unsigned char bytes[KEY_BYTES];
	char line[2 * LINE_BYTES + 1];
	const char *text = BEGIN;

	randombytes_buf(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i += LINE_BYTES)
		text = arena_printf(arena, "%s%s\n", text,
			sodium_bin2hex(line, sizeof(line), bytes + i, LINE_BYTES));
	sodium_memzero(bytes, sizeof(bytes));
	return arena_printf(arena, "%s" END, text);
}
