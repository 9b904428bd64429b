/* problem: the mapping, and the document through lib/json. No state; any thread. */
#include "gateway/problem.h"

#include "lib/json.h"
#include "proto/gateway.pb-c.h"

#include <ctype.h>
#include <string.h>

#define URN "urn:lanyard:problem:"

static const enum http_status statuses[] = {
	[OK] = HTTP_INTERNAL_ERROR,
	[ERR_CANCELLED] = HTTP_INTERNAL_ERROR,
	[ERR_UNKNOWN] = HTTP_INTERNAL_ERROR,
	[ERR_INVALID_ARGUMENT] = HTTP_BAD_REQUEST,
	[ERR_DEADLINE_EXCEEDED] = HTTP_GATEWAY_TIMEOUT,
	[ERR_NOT_FOUND] = HTTP_NOT_FOUND,
	[ERR_ALREADY_EXISTS] = HTTP_CONFLICT,
	[ERR_PERMISSION_DENIED] = HTTP_FORBIDDEN,
	[ERR_RESOURCE_EXHAUSTED] = HTTP_TOO_MANY_REQUESTS,
	[ERR_FAILED_PRECONDITION] = HTTP_CONFLICT,
	[ERR_ABORTED] = HTTP_CONFLICT,
	[ERR_OUT_OF_RANGE] = HTTP_BAD_REQUEST,
	[ERR_UNIMPLEMENTED] = HTTP_NOT_IMPLEMENTED,
	[ERR_INTERNAL] = HTTP_INTERNAL_ERROR,
	[ERR_UNAVAILABLE] = HTTP_UNAVAILABLE,
	[ERR_DATA_LOSS] = HTTP_INTERNAL_ERROR,
	[ERR_UNAUTHENTICATED] = HTTP_UNAUTHORIZED,
};

/* The name in the type is that of the usual cause where no err_t is known. */
static const struct {
	enum http_status status;
	const char *title;
	const char *name;
} words[] = {
	{ HTTP_BAD_REQUEST, "Bad Request", "invalid_argument" },
	{ HTTP_UNAUTHORIZED, "Unauthorized", "unauthenticated" },
	{ HTTP_FORBIDDEN, "Forbidden", "permission_denied" },
	{ HTTP_NOT_FOUND, "Not Found", "not_found" },
	{ HTTP_METHOD_NOT_ALLOWED, "Method Not Allowed", "method_not_allowed" },
	{ HTTP_CONFLICT, "Conflict", "conflict" },
	{ HTTP_PRECONDITION_FAILED, "Precondition Failed", "failed_precondition" },
	{ HTTP_CONTENT_TOO_LARGE, "Content Too Large", "content_too_large" },
	{ HTTP_URI_TOO_LONG, "URI Too Long", "uri_too_long" },
	{ HTTP_UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type", "unsupported_media_type" },
	{ HTTP_TOO_MANY_REQUESTS, "Too Many Requests", "resource_exhausted" },
	{ HTTP_HEADERS_TOO_LARGE, "Request Header Fields Too Large", "headers_too_large" },
	{ HTTP_INTERNAL_ERROR, "Internal Server Error", "internal" },
	{ HTTP_NOT_IMPLEMENTED, "Not Implemented", "unimplemented" },
	{ HTTP_UNAVAILABLE, "Service Unavailable", "unavailable" },
	{ HTTP_GATEWAY_TIMEOUT, "Gateway Timeout", "deadline_exceeded" },
};

enum http_status problem_status(err_t err, const char *field)
{
	if (err == ERR_FAILED_PRECONDITION && strcmp(field, "version") == 0)
		return HTTP_PRECONDITION_FAILED;
	return (unsigned)err < ARRAY_LEN(statuses) ? statuses[err] : HTTP_INTERNAL_ERROR;
}

static size_t words_find(enum http_status status)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].status == status)
			return i;
	BUG("status %d has no words", (int)status);
}

/* Headers that a client needs to do better. */
static void add_headers(enum http_status status, struct http_reply *reply)
{
	if (status == HTTP_UNAUTHORIZED)
		http_reply_add(reply, "WWW-Authenticate", "Bearer realm=\"lanyard\"");
	if (status == HTTP_UNAVAILABLE || status == HTTP_TOO_MANY_REQUESTS)
		http_reply_add(reply, "Retry-After", "1");
}

static void write(
	struct call *call, const char *type, enum http_status status, struct http_reply *reply)
{
	Gateway__Problem problem = GATEWAY__PROBLEM__INIT;

	problem.type = arena_printf(call->arena, URN "%s", type);
	problem.title = (char *)(uintptr_t)words[words_find(status)].title;
	problem.status = status;
	problem.trace = (char *)(uintptr_t)call->trace;
	if (call->fault.detail[0] != '\0' && status != HTTP_INTERNAL_ERROR) {
		problem.set_detail_case = GATEWAY__PROBLEM__SET_DETAIL_DETAIL;
		problem.detail = call->fault.detail;
	}
	if (call->fault.field[0] != '\0' && status != HTTP_INTERNAL_ERROR) {
		problem.set_field_case = GATEWAY__PROBLEM__SET_FIELD_FIELD;
		problem.field = call->fault.field;
	}
	reply->status = status;
	reply->content_type = "application/problem+json";
	reply->body = json_write(call->arena, &problem.base, &reply->body_len);
	add_headers(status, reply);
}

void problem_reply(struct call *call, err_t err, struct http_reply *reply)
{
	char *type = arena_strdup(call->arena, err_name(err));

	for (char *c = type; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	write(call, type, problem_status(err, call->fault.field), reply);
}

void problem_reply_status(struct call *call, enum http_status status, struct http_reply *reply)
{
	write(call, words[words_find(status)].name, status, reply);
}
