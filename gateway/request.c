/* request: by reflection through lib/json, a step each for path, query, If-Match and body. Any
 * worker. */
#include "gateway/request.h"

#include "lib/check.h"
#include "lib/json.h"

#include <sodium.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define IDEMPOTENCY_KEY_MAX 128

static bool is_read(const struct api_request *request)
{
	return strcmp(request->http->method, "GET") == 0;
}

static bool takes_body(const struct api_request *request)
{
	return strcmp(request->http->method, "POST") == 0 ||
	       strcmp(request->http->method, "PUT") == 0 ||
	       strcmp(request->http->method, "PATCH") == 0;
}

static err_t read_path(struct api_request *request, ProtobufCMessage *message)
{
	const char *id = route_parameter(&request->match, "id");

	if (id == NULL)
		return OK;
	if (check_uuid(request->call, "id", id) != OK)
		return call_refuse(
			request->call, ERR_NOT_FOUND, "id", "there is nothing with this id");
	return json_read_parameter(request->call, "id", id, message);
}

static bool is_word_of(const char *words, const char *word)
{
	size_t len = strlen(word);

	while (words != NULL && *words != '\0') {
		size_t step = strcspn(words, " ");

		if (step == len && memcmp(words, word, len) == 0)
			return true;
		words += step + strspn(words + step, " ");
	}
	return false;
}

err_t request_read_query(struct api_request *request, ProtobufCMessage *message)
{
	for (size_t i = 0; i < request->target.query.n; i++) {
		const struct parameter *parameter = &request->target.query.parameters[i];
		err_t err;

		if (!is_word_of(request->match.route->query, parameter->name))
			return json_refuse_unknown(request->call, parameter->name);
		err = json_read_parameter(
			request->call, parameter->name, parameter->value, message);
		if (err != OK)
			return err;
	}
	return OK;
}

/* `"3"` of the ETag that a reply carried. `*` is any version; a weak one never matches. */
static err_t read_if_match(struct api_request *request, ProtobufCMessage *message)
{
	const char *text = request->http->headers.if_match;
	int64_t *version = json_field(message, "version", PROTOBUF_C_TYPE_INT64);
	size_t n_digits;

	if (text == NULL || is_read(request) || strcmp(text, "*") == 0)
		return OK;
	if (version == NULL)
		return call_refuse(request->call, ERR_INVALID_ARGUMENT, "If-Match",
			"expected no precondition here");
	n_digits = text[0] == '"' ? strspn(text + 1, "0123456789") : 0;
	if (n_digits == 0 || n_digits > 18 || strcmp(text + 1 + n_digits, "\"") != 0)
		return call_refuse(request->call, ERR_INVALID_ARGUMENT, "If-Match",
			"expected the ETag of an earlier reply");
	*version = strtoll(text + 1, NULL, 10);
	if (*version == 0)
		return call_refuse(
			request->call, ERR_FAILED_PRECONDITION, "version", "there is no version 0");
	return OK;
}

/* No body is an empty object. */
static err_t read_body(
	struct api_request *request, const char *const except[], ProtobufCMessage *message)
{
	const struct http_request *http = request->http;

	if (http->body_len == 0)
		return OK;
	if (!takes_body(request))
		return call_refuse(request->call, ERR_INVALID_ARGUMENT, "",
			"expected no body with this method");
	return json_read(request->call, http->body, http->body_len, except, message);
}

err_t request_read(
	struct api_request *request, const char *const except[], ProtobufCMessage *message)
{
	static const char *const not_in_bodies[] = { "id", "version", NULL };
	err_t err = read_body(request, except != NULL ? except : not_in_bodies, message);

	if (err != OK || (err = request_read_query(request, message)) != OK ||
		(err = read_path(request, message)) != OK)
		return err;
	return read_if_match(request, message);
}

err_t request_read_own(struct api_request *request, ProtobufCMessage *message)
{
	static const char prefix[] = "device:";
	static const char *const except[] = { "device", NULL };
	char **device = json_field(message, "device", PROTOBUF_C_TYPE_STRING);
	const char *subject = request->caller.subject;
	err_t err;

	if (strncmp(subject, prefix, strlen(prefix)) != 0)
		return call_refuse(request->call, ERR_PERMISSION_DENIED, "", "this is for devices");
	if ((err = request_read(request, except, message)) != OK)
		return err;
	*device = arena_strdup(request->call->arena, subject + strlen(prefix));
	return OK;
}

/* A write without a key of the client's gets one of ours: the bus may then repeat it safely. */
err_t request_choose_key(struct api_request *request)
{
	const char *key = request->http->headers.idempotency_key;
	unsigned char random[16];
	char text[sizeof(random) * 2 + 1];

	if (is_read(request) || (request->match.route->flags & ROUTE_REPEATABLE) != 0)
		return OK;
	if (key == NULL) {
		randombytes_buf(random, sizeof(random));
		key = sodium_bin2hex(text, sizeof(text), random, sizeof(random));
	} else if (check_text(request->call, "Idempotency-Key", key, 1, IDEMPOTENCY_KEY_MAX) !=
		   OK) {
		return ERR_INVALID_ARGUMENT;
	}
	request->call->idempotency_key = arena_strdup(request->call->arena, key);
	return OK;
}

bool request_has_type(const struct api_request *request, const char *type)
{
	const char *told = request->http->headers.content_type;
	size_t len = strlen(type);

	if (request->http->body_len == 0)
		return true;
	return told != NULL && strncasecmp(told, type, len) == 0 &&
	       strchr("; \t", told[len]) != NULL; /* finds the final NUL too */
}
