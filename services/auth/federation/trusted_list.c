/* trusted_list: see trusted_list.h. */
#include "services/auth/federation/trusted_list.h"

#include "lib/base64.h"
#include "lib/check.h"
#include "lib/mem.h"
#include "services/auth/auto_json.h"

#include <sodium.h>

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#define HTTPS	 "https://"
#define HOST_MAX 253

/* All of the text, and exactly `len` bytes. */
static bool decode(const char *text, void *bytes, size_t len)
{
	size_t n;

	return base64_decode(text, strlen(text), sodium_base64_VARIANT_ORIGINAL, bytes, len, &n) &&
	       n == len;
}

static err_t check_signature(struct call *call, const Auth__FederationList *request)
{
	unsigned char key[crypto_sign_PUBLICKEYBYTES], signature[crypto_sign_BYTES];

	if (!decode(request->public_key, key, sizeof(key)))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "public_key",
			"expected an Ed25519 key of 32 bytes in Base64");
	if (!decode(request->signature, signature, sizeof(signature)))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "signature",
			"expected 64 bytes in Base64: the contents of the list's .sig");
	if (crypto_sign_verify_detached(signature, request->list.data, request->list.len, key) != 0)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "signature", "it is not of this list and key");
	return OK;
}

static err_t refuse(struct call *call, size_t i, const char *expected)
{
	return call_refuse(call, ERR_INVALID_ARGUMENT, "list",
		"entry %zu of instances: expected %s", i + 1, expected);
}

/* The host of an https URL that ends with a slash, in small letters and without port; NULL if it is
 * none. */
static char *host_of(struct arena *arena, const char *base_uri)
{
	const char *from = base_uri + strlen(HTTPS);
	size_t len = strlen(base_uri);
	char *host;

	if (strncmp(base_uri, HTTPS, strlen(HTTPS)) != 0 || base_uri[len - 1] != '/')
		return NULL;
	host = arena_strndup(arena, from, strcspn(from, "/:"));
	for (char *at = host; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	return host;
}

static err_t read_instance(
	struct call *call, const json_t *entry, size_t i, Auth__Federation *federation)
{
	const char *base_uri = json_string_value(json_object_get(entry, "base_uri"));
	const char *key = json_string_value(json_object_get(entry, "public_key"));
	unsigned char bytes[crypto_sign_PUBLICKEYBYTES];
	Auth__TrustedInstance *instance = arena_alloc(call->arena, sizeof(*instance));

	auth__trusted_instance__init(instance);
	instance->host = base_uri != NULL ? host_of(call->arena, base_uri) : NULL;
	if (instance->host == NULL || check_host_name(call, "list", instance->host, HOST_MAX) != OK)
		return refuse(call, i, "base_uri to be an https URL that ends with a slash");
	if (key == NULL || !decode(key, bytes, sizeof(bytes)))
		return refuse(call, i, "public_key to be an Ed25519 key of 32 bytes in Base64");
	for (size_t j = 0; j < federation->n_instances; j++)
		if (strcmp(federation->instances[j]->host, instance->host) == 0)
			return refuse(call, i, "a host that is not in the list before");
	instance->base_uri = arena_strdup(call->arena, base_uri);
	instance->public_key = arena_strdup(call->arena, key);
	federation->instances[federation->n_instances++] = instance;
	return OK;
}

static err_t read_list(struct call *call, const json_t *list, Auth__Federation *federation)
{
	const json_t *seq = json_object_get(list, "seq"), *entries, *entry;
	const char *type = json_string_value(json_object_get(list, "authorization_type"));
	err_t err = OK;
	size_t i;

	if (type == NULL || strcmp(type, "distributed") != 0)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "list",
			"expected the authorization_type distributed: a token of each instance "
			"counts at all of them");
	if (!json_is_integer(seq) || json_integer_value(seq) < 0)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "list", "expected seq to be a number");
	entries = json_object_get(list, "instances");
	if (!json_is_array(entries) || json_array_size(entries) > TRUSTED_LIST_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "list",
			"expected instances to be an array of at most %d", TRUSTED_LIST_MAX);
	federation->seq = json_integer_value(seq);
	federation->instances = arena_alloc(
		call->arena, (json_array_size(entries) + 1) * sizeof(*federation->instances));
	json_array_foreach(entries, i, entry)
	{
		if ((err = read_instance(call, entry, i, federation)) != OK)
			break;
	}
	return err;
}

err_t trusted_list_read(
	struct call *call, const Auth__FederationList *request, Auth__Federation *federation)
{
	AUTO_JSON list = NULL;
	json_error_t error;
	err_t err = check_signature(call, request);

	if (err != OK)
		return err;
	list = json_loadb((const char *)request->list.data, request->list.len,
		JSON_REJECT_DUPLICATES, &error);
	if (list == NULL)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "list", "line %d: %s", error.line, error.text);
	federation->public_key = request->public_key;
	return read_list(call, list, federation);
}
