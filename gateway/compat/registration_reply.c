/* registration_reply: what the methods of the registration API answer with. In workers. */
#include "gateway/compat/registration.h"

#include "gateway/problem.h"

#define ERROR_2017   "{\"code\":400,\"errno\":400,\"error\":\"Bad Request\"}"
#define FAILURE_2017 "{\"code\":500,\"errno\":501,\"error\":\"Internal Server Error\"}"

/* A field that was not sent still points to protobuf's own empty text. */
bool registration_is_missing(const char *text)
{
	return text == protobuf_c_empty_string;
}

void registration_reply_empty(struct api_request *request, enum http_status status)
{
	face_reply(request, status, NULL, NULL);
}

void registration_reply_missing(struct api_request *request, const char *name)
{
	if (request->api->names_2017)
		face_reply(request, HTTP_BAD_REQUEST, "application/json", ERROR_2017);
	else
		face_reply(request, HTTP_BAD_REQUEST, REGISTRATION_TEXT,
			arena_printf(request->call->arena,
				"Query deserialize error: missing field `%s`", name));
}

void registration_reply_word(struct api_request *request, const char *word)
{
	Gateway__NameError error = GATEWAY__NAME_ERROR__INIT;

	error.error = (char *)(uintptr_t)word;
	face_reply_json(request, HTTP_BAD_REQUEST, &error.base);
}

/* A refusal in the form of the API; `unknown` is the status for a secret that is nobody's. */
void registration_reply_error(struct api_request *request, err_t err, enum http_status unknown)
{
	enum http_status status = problem_status(err, request->call->fault.field);

	if (err == ERR_NOT_FOUND)
		status = unknown;
	if (err == ERR_INVALID_ARGUMENT)
		status = HTTP_BAD_REQUEST;
	if (status == HTTP_TOO_MANY_REQUESTS)
		http_reply_add(request->reply, "Retry-After", "600");
	if (!request->api->names_2017)
		face_reply(request, status, REGISTRATION_TEXT,
			err == ERR_INVALID_ARGUMENT
				? arena_strdup(request->call->arena, request->call->fault.detail)
				: NULL);
	else if (status >= HTTP_INTERNAL_ERROR)
		face_reply(request, HTTP_INTERNAL_ERROR, "application/json", FAILURE_2017);
	else
		face_reply(request, HTTP_BAD_REQUEST, "application/json", ERROR_2017);
}

err_t registration_run(struct api_request *request, const char *method,
	const ProtobufCMessage *message, enum http_status unknown)
{
	const ProtobufCMessage *reply;
	err_t err = face_dns(request, method, message, &reply);

	if (err == OK)
		registration_reply_empty(request, HTTP_OK);
	else
		registration_reply_error(request, err, unknown);
	return OK;
}
