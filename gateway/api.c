/* api: how a request is served from its first byte to its reply, in api_serve. Runs in workers. */
#include "gateway/api.h"

#include "gateway/admit.h"
#include "gateway/compat/compat.h"
#include "gateway/compat/we500_memory.h"
#include "gateway/pages/authorize.h"
#include "gateway/problem.h"
#include "gateway/request.h"
#include "gateway/usage.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- the reply ---- */

static void add_location(struct api_request *request, const ProtobufCMessage *message)
{
	char *const *id = json_field(message, "id", PROTOBUF_C_TYPE_STRING);
	const char *target = request->http->target;

	if (request->reply->status == HTTP_CREATED && id != NULL)
		http_reply_add(request->reply, "Location",
			arena_printf(request->call->arena, "%.*s/%s", (int)strcspn(target, "?"),
				target, *id));
}

static void add_etag(struct api_request *request, const ProtobufCMessage *message)
{
	const int64_t *version = json_field(message, "version", PROTOBUF_C_TYPE_INT64);

	if (version != NULL && *version > 0)
		http_reply_add(request->reply, "ETag",
			arena_printf(request->call->arena, "\"%" PRId64 "\"", *version));
}

void api_send(struct api_request *request, const ProtobufCMessage *message)
{
	struct http_reply *reply = request->reply;
	int status = request->match.route->status;

	reply->status = status != 0 ? (enum http_status)status : HTTP_OK;
	if (reply->status == HTTP_NO_CONTENT)
		return;
	reply->content_type = "application/json";
	reply->body = json_write(request->call->arena, message, &reply->body_len);
	add_etag(request, message);
	add_location(request, message);
}

void api_send_text(
	struct api_request *request, const char *content_type, const char *text, size_t len)
{
	request->reply->status = HTTP_OK;
	request->reply->content_type = content_type;
	request->reply->body = text;
	request->reply->body_len = len;
}

/* ---- the call ---- */

static const ProtobufCMethodDescriptor *method_of(const struct route *route)
{
	const ProtobufCMethodDescriptor *method =
		protobuf_c_service_descriptor_get_method_by_name(route->service, route->rpc);

	if (method == NULL)
		BUG("there is no method %s", route->rpc);
	return method;
}

/* Who has changed something here sees it at once: other gateways hear of it a moment later. */
static void heed_change(const struct api_request *request)
{
	const char *tenant = route_parameter(&request->match, "tenant");

	if (tenant == NULL)
		tenant = route_parameter(&request->match, "id"); /* a tenant itself, perhaps */
	if (tenant != NULL)
		we500_memory_changed(tenant, "");
}

err_t api_call(struct api_request *request, const ProtobufCMessage *message,
	const ProtobufCMessage **reply)
{
	const struct route *route = request->match.route;

	err_t err = bus_call(request->call, route->service, route->rpc, message, reply);

	if (err == OK && strcmp(request->http->method, "GET") != 0)
		heed_change(request);
	return err;
}

err_t api_forward(struct api_request *request)
{
	const ProtobufCMessageDescriptor *descriptor = method_of(request->match.route)->input;
	ProtobufCMessage *message = arena_alloc(request->call->arena, descriptor->sizeof_message);
	const ProtobufCMessage *reply;
	err_t err;

	descriptor->message_init(message);
	if ((err = request_read(request, NULL, message)) != OK ||
		(err = api_call(request, message, &reply)) != OK)
		return err;
	api_send(request, reply);
	return OK;
}

/* ---- all of it ---- */

/* Refuses with a status that no err_t has; the reply is made then. */
static err_t refuse_status(
	struct api_request *request, enum http_status status, const char *field, const char *detail)
{
	(void)fault_set(&request->call->fault, ERR_INVALID_ARGUMENT, field, "%s", detail);
	problem_reply_status(request->call, status, request->reply);
	return OK;
}

static err_t find_route(struct api_request *request)
{
	err_t err =
		router_match(api_tables, request->http->method, &request->target, &request->match);

	if (err == ERR_NOT_FOUND)
		err = router_match(
			face_tables, request->http->method, &request->target, &request->match);
	if (err == ERR_NOT_FOUND)
		return call_refuse(request->call, err, "", "there is nothing at this path");
	return err;
}

static const char *type_of(const struct route *route)
{
	if ((route->flags & ROUTE_FORM) != 0)
		return "application/x-www-form-urlencoded";
	if ((route->flags & ROUTE_PKCS10) != 0)
		return "application/pkcs10";
	return (route->flags & ROUTE_CSV) != 0 ? "text/csv" : "application/json";
}

static err_t run(struct api_request *request)
{
	const struct route *route = request->match.route;
	const char *type = type_of(route);
	err_t err;

	err = admit(request);
	if (err == ERR_UNAUTHENTICATED && (route->flags & ROUTE_BASIC) != 0)
		http_reply_add(request->reply, "WWW-Authenticate", "Basic realm=\"lanyard\"");
	if (err != OK)
		return err;
	if (!request_has_type(request, type))
		return refuse_status(request, HTTP_UNSUPPORTED_MEDIA_TYPE, "Content-Type",
			arena_printf(request->call->arena, "expected %s", type));
	if ((err = request_choose_key(request)) != OK)
		return err;
	return route->handler != NULL ? route->handler(request) : api_forward(request);
}

static err_t no_route(struct api_request *request, err_t why)
{
	err_t err = admit_stranger(request, 1);

	if (err != OK)
		return err;
	if (request->match.allow[0] == '\0')
		return why;
	http_reply_add(
		request->reply, "Allow", arena_strdup(request->call->arena, request->match.allow));
	return refuse_status(request, HTTP_METHOD_NOT_ALLOWED, "",
		"this path is there, but not with this method");
}

/* What can't be read: a page for people where they see it, else as for a path that is not there. */
static err_t refuse_target(struct api_request *request, err_t why)
{
	err_t err = no_route(request, why);

	if (err == why && !request->api->portal_only && authorize_refuse(request))
		return OK;
	return err;
}

static err_t answer(struct api_request *request)
{
	err_t err;

	if (request->http->refused == HTTP_UNAVAILABLE &&
		target_parse(request->call, request->http->target, &request->target) == OK &&
		we500_serve_busy(request))
		return OK;
	if (request->http->refused != 0) {
		problem_reply_status(request->call, request->http->refused, request->reply);
		return OK;
	}
	if ((err = target_parse(request->call, request->http->target, &request->target)) != OK)
		return refuse_target(request, err);
	if (compat_serve(request))
		return OK;
	if (request->api->portal_only)
		return no_route(request, call_refuse(request->call, ERR_NOT_FOUND, "",
						 "there is nothing but the portal at this port"));
	err = find_route(request);
	return err == OK ? run(request) : no_route(request, err);
}

void api_note(const struct api_request *request)
{
	int64_t ms = clock_ms() - request->started_ms;
	const struct route *route = request->match.route;

	usage_count(request->reply->status, ms);
	log_debug("request",
		"trace=%s method=%s route=%s status=%d ms=%" PRId64 " origin=%s actor=%s",
		request->call->trace, log_value(request->http->method),
		route != NULL ? route->path : "none", (int)request->reply->status, ms,
		request->http->origin, log_value(request->call->actor));
}

void api_serve(void *context, struct http_request *http, struct http_reply *reply)
{
	struct api_request request = {
		.api = context,
		.call = &http->call,
		.http = http,
		.reply = reply,
		.started_ms = clock_ms(),
	};
	err_t err = answer(&request);

	if (err != OK)
		problem_reply(&http->call, err, reply);
	http_reply_add(reply, "Trace-Id", http->call.trace);
	if (reply->again == NULL)
		api_note(&request);
}
