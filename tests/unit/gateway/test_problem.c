/* problem: every error has its status, and the document tells no more than it should. */
#include "gateway/problem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

static const struct {
	err_t err;
	const char *field;
	enum http_status want;
	const char *type, *title;
} rows[] = {
	{ ERR_CANCELLED, "", 500, "cancelled", "Internal Server Error" },
	{ ERR_UNKNOWN, "", 500, "unknown", "Internal Server Error" },
	{ ERR_INVALID_ARGUMENT, "name", 400, "invalid_argument", "Bad Request" },
	{ ERR_DEADLINE_EXCEEDED, "", 504, "deadline_exceeded", "Gateway Timeout" },
	{ ERR_NOT_FOUND, "id", 404, "not_found", "Not Found" },
	{ ERR_ALREADY_EXISTS, "name", 409, "already_exists", "Conflict" },
	{ ERR_PERMISSION_DENIED, "", 403, "permission_denied", "Forbidden" },
	{ ERR_RESOURCE_EXHAUSTED, "", 429, "resource_exhausted", "Too Many Requests" },
	{ ERR_FAILED_PRECONDITION, "state", 409, "failed_precondition", "Conflict" },
	{ ERR_FAILED_PRECONDITION, "version", 412, "failed_precondition", "Precondition Failed" },
	{ ERR_ABORTED, "", 409, "aborted", "Conflict" },
	{ ERR_OUT_OF_RANGE, "", 400, "out_of_range", "Bad Request" },
	{ ERR_UNIMPLEMENTED, "", 501, "unimplemented", "Not Implemented" },
	{ ERR_INTERNAL, "", 500, "internal", "Internal Server Error" },
	{ ERR_UNAVAILABLE, "", 503, "unavailable", "Service Unavailable" },
	{ ERR_DATA_LOSS, "", 500, "data_loss", "Internal Server Error" },
	{ ERR_UNAUTHENTICATED, "", 401, "unauthenticated", "Unauthorized" },
	{ (err_t)99, "", 500, "unknown", "Internal Server Error" },
};

static bool has_header(const struct http_reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->n_headers; i++)
		if (strcmp(reply->headers[i].name, name) == 0)
			return true;
	return false;
}

Test(problem, every_error)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_reply reply = { .body = NULL };
		struct call call;
		char *want;

		call_init(&call, NULL, "", 1000);
		(void)call_refuse(&call, rows[i].err, rows[i].field, "why %d", (int)i);
		problem_reply(&call, rows[i].err, &reply);
		want = arena_printf(call.arena,
			"{\"type\":\"urn:lanyard:problem:%s\",\"title\":\"%s\",\"status\":%d%s%s%s%"
			"s,"
			"\"trace\":\"%s\"}",
			rows[i].type, rows[i].title, (int)rows[i].want,
			rows[i].want != 500 ? arena_printf(call.arena, ",\"detail\":\"why %zu\"", i)
					    : "",
			rows[i].want != 500 && *rows[i].field ? ",\"field\":\"" : "",
			rows[i].want != 500 ? rows[i].field : "",
			rows[i].want != 500 && *rows[i].field ? "\"" : "", call.trace);
		cr_expect(eq(int, (int)reply.status, (int)rows[i].want), "row %zu", i);
		cr_expect(eq(str, (char *)reply.body, want), "row %zu", i);
		cr_expect(eq(str, (char *)reply.content_type, "application/problem+json"));
		cr_expect(eq(int, has_header(&reply, "WWW-Authenticate"), rows[i].want == 401));
		cr_expect(eq(int, has_header(&reply, "Retry-After"),
			rows[i].want == 503 || rows[i].want == 429));
		call_finish(&call);
	}
}

Test(problem, statuses_of_http_itself)
{
	static const enum http_status statuses[] = { HTTP_METHOD_NOT_ALLOWED,
		HTTP_CONTENT_TOO_LARGE, HTTP_URI_TOO_LONG, HTTP_UNSUPPORTED_MEDIA_TYPE,
		HTTP_HEADERS_TOO_LARGE };

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct http_reply reply = { .body = NULL };
		struct call call;

		call_init(&call, NULL, "", 1000);
		problem_reply_status(&call, statuses[i], &reply);
		cr_expect(eq(int, (int)reply.status, (int)statuses[i]));
		cr_expect(eq(ptr, strstr(reply.body, "detail"), NULL));
		call_finish(&call);
	}
}

Test(problem, a_header_that_is_there_stays)
{
	struct http_reply reply = { .body = NULL };
	struct call call;

	call_init(&call, NULL, "", 1000);
	http_reply_add(&reply, "Retry-After", "7");
	problem_reply(&call, ERR_RESOURCE_EXHAUSTED, &reply);
	cr_expect(eq(sz, reply.n_headers, 1));
	cr_expect(eq(str, (char *)reply.headers[0].value, "7"));
	call_finish(&call);
}
