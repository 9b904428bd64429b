/*
 * registration: the API by which a device gets a name, as the gateway of Mozilla's project speaks
 * it: GET with a query, as always; POST with JSON and "Authorization: Bearer TOKEN" too. With
 * LANYARD_NAMES_2017 it answers as it did in 2017.
 */
#include "gateway/compat/face.h"

#include "gateway/problem.h"
#include "lib/json.h"
#include "proto/dns.pb-c.h"
#include "proto/gateway.pb-c.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define JSON "application/json"
#define HTML "text/html; charset=utf-8"
#define TEXT "text/plain; charset=utf-8"

#define ERROR_2017   "{\"code\":400,\"errno\":400,\"error\":\"Bad Request\"}"
#define FAILURE_2017 "{\"code\":500,\"errno\":501,\"error\":\"Internal Server Error\"}"

typedef Gateway__NameParameters parameters_t;

/* ---- what all of them share ---- */

static void allow_any_origin(struct api_request *request)
{
	http_reply_add(request->reply, "Access-Control-Allow-Origin", "*");
	http_reply_add(request->reply, "Access-Control-Allow-Methods", "GET, POST, OPTIONS");
	http_reply_add(
		request->reply, "Access-Control-Allow-Headers", "Authorization, Content-Type");
}

/* A field that was not sent still points to protobuf's own empty text. */
static bool is_missing(const char *text)
{
	return text == protobuf_c_empty_string;
}

static bool is_parameter(const char *name)
{
	return protobuf_c_message_descriptor_get_field_by_name(
		       &gateway__name_parameters__descriptor, name) != NULL;
}

/* Of the query (what is unknown there is passed over, as ever), the body, and the header. */
static err_t read_parameters(struct api_request *request, parameters_t *parameters)
{
	const struct http_request *http = request->http;
	const char *bearer = face_bearer(request);
	err_t err = OK;

	gateway__name_parameters__init(parameters);
	if (http->body_len > 0)
		err = json_read(request->call, http->body, http->body_len, NULL, &parameters->base);
	for (size_t i = 0; err == OK && i < request->target.query.n; i++) {
		const struct parameter *parameter = &request->target.query.parameters[i];

		if (is_parameter(parameter->name))
			err = json_read_parameter(request->call, parameter->name, parameter->value,
				&parameters->base);
	}
	if (bearer != NULL)
		parameters->token = (char *)(uintptr_t)bearer;
	return err;
}

static void reply_empty(struct api_request *request, enum http_status status)
{
	face_reply(request, status, NULL, NULL);
}

static void reply_missing(struct api_request *request, const char *name)
{
	if (request->api->names_2017)
		face_reply(request, HTTP_BAD_REQUEST, JSON, ERROR_2017);
	else
		face_reply(request, HTTP_BAD_REQUEST, TEXT,
			arena_printf(request->call->arena,
				"Query deserialize error: missing field `%s`", name));
}

static void reply_word(struct api_request *request, const char *word)
{
	Gateway__NameError error = GATEWAY__NAME_ERROR__INIT;

	error.error = (char *)(uintptr_t)word;
	face_reply_json(request, HTTP_BAD_REQUEST, &error.base);
}

/* A refusal in the form of the API; `unknown` is the status for a secret that is nobody's. */
static void reply_error(struct api_request *request, err_t err, enum http_status unknown)
{
	enum http_status status = problem_status(err, request->call->fault.field);

	if (err == ERR_NOT_FOUND)
		status = unknown;
	if (err == ERR_INVALID_ARGUMENT)
		status = HTTP_BAD_REQUEST;
	if (!request->api->names_2017)
		face_reply(request, status, TEXT,
			err == ERR_INVALID_ARGUMENT
				? arena_strdup(request->call->arena, request->call->fault.detail)
				: NULL);
	else if (status >= HTTP_INTERNAL_ERROR)
		face_reply(request, HTTP_INTERNAL_ERROR, JSON, FAILURE_2017);
	else
		face_reply(request, HTTP_BAD_REQUEST, JSON, ERROR_2017);
}

static err_t dns(struct api_request *request, const char *method, const ProtobufCMessage *message,
	const ProtobufCMessage **reply)
{
	return bus_call(request->call, &dns__dns__descriptor, method, message, reply);
}

/* Calls a method that answers with nothing, and replies. */
static err_t run(struct api_request *request, const char *method, const ProtobufCMessage *message,
	enum http_status unknown)
{
	const ProtobufCMessage *reply;
	err_t err = dns(request, method, message, &reply);

	if (err == OK)
		reply_empty(request, HTTP_OK);
	else
		reply_error(request, err, unknown);
	return OK;
}

/* ---- getting a name ---- */

static bool read_mode(const char *mode, const char **kind)
{
	static const struct {
		const char *mode, *kind;
	} modes[] = { { "", "tunnel" }, { "0", "tunnel" }, { "Tunneled", "tunnel" },
		{ "1", "dynamic" }, { "DynamicDNS", "dynamic" } };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (strcmp(mode, modes[i].mode) == 0) {
			*kind = modes[i].kind;
			return true;
		}
	return false;
}

static void reply_subscribe_error(struct api_request *request, err_t err)
{
	const char *field = request->call->fault.field;

	if (err == ERR_ALREADY_EXISTS && strcmp(field, "email") == 0)
		reply_word(request, "UnavailableNameReclamationPossible");
	else if (err == ERR_ALREADY_EXISTS ||
		 (err == ERR_INVALID_ARGUMENT && strcmp(field, "name") == 0))
		reply_word(request, "UnavailableName");
	else if (err == ERR_PERMISSION_DENIED && strcmp(field, "reclamation_token") == 0)
		reply_word(request, "ReclamationTokenMismatch");
	else
		reply_error(request, err, HTTP_NOT_FOUND);
}

static err_t subscribe(struct api_request *request, const parameters_t *parameters)
{
	Dns__SubscribeRequest message = DNS__SUBSCRIBE_REQUEST__INIT;
	Gateway__NameToken answer = GATEWAY__NAME_TOKEN__INIT;
	const ProtobufCMessage *reply;
	const char *kind;
	err_t err;

	if (is_missing(parameters->name)) {
		reply_missing(request, "name");
		return OK;
	}
	if (!read_mode(parameters->mode, &kind)) {
		reply_missing(request, "mode");
		return OK;
	}
	message.host = (char *)(uintptr_t)face_host(request);
	message.name = parameters->name;
	message.description = parameters->desc;
	message.email = parameters->email;
	message.reclamation_token = parameters->reclamationtoken;
	message.kind = (char *)(uintptr_t)kind;
	message.origin = (char *)(uintptr_t)face_address(request);
	message.keep_case = request->api->names_2017;
	if ((err = dns(request, "Subscribe", &message.base, &reply)) != OK) {
		reply_subscribe_error(request, err);
		return OK;
	}
	answer.name = ((const Dns__Subscription *)reply)->name;
	answer.token = ((const Dns__Subscription *)reply)->token;
	face_reply_json(request, HTTP_OK, &answer.base);
	return OK;
}

static err_t reclaim(struct api_request *request, const parameters_t *parameters)
{
	Dns__ReclaimRequest message = DNS__RECLAIM_REQUEST__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	if (is_missing(parameters->name)) {
		reply_missing(request, "name");
		return OK;
	}
	message.host = (char *)(uintptr_t)face_host(request);
	message.name = parameters->name;
	err = dns(request, "Reclaim", &message.base, &reply);
	if (err == OK)
		reply_empty(request, HTTP_OK);
	else if (err == ERR_NOT_FOUND)
		reply_word(request, "NoSuchName");
	else if (err == ERR_FAILED_PRECONDITION)
		reply_word(request, "NoEmail");
	else
		reply_error(request, err, HTTP_NOT_FOUND);
	return OK;
}

static err_t unsubscribe(struct api_request *request, const parameters_t *parameters)
{
	Dns__ReleaseRequest message = DNS__RELEASE_REQUEST__INIT;
	bool by_token = !is_missing(parameters->token);

	if (!by_token && is_missing(parameters->reclamationtoken)) {
		reply_missing(request, "token");
		return OK;
	}
	message.token = parameters->token;
	message.reclamation_token = parameters->reclamationtoken;
	return run(request, "Release", &message.base, by_token ? HTTP_BAD_REQUEST : HTTP_NOT_FOUND);
}

/* ---- holding it ---- */

static err_t contact(struct api_request *request, const parameters_t *parameters)
{
	Dns__ContactRequest message = DNS__CONTACT_REQUEST__INIT;

	message.token = parameters->token;
	message.origin = (char *)(uintptr_t)face_address(request);
	if (!is_missing(parameters->local_ip)) {
		message.set_local_ip_case = DNS__CONTACT_REQUEST__SET_LOCAL_IP_LOCAL_IP;
		message.local_ip = parameters->local_ip;
	}
	if (!is_missing(parameters->accounturi)) {
		message.set_account_case = DNS__CONTACT_REQUEST__SET_ACCOUNT_ACCOUNT;
		message.account = parameters->accounturi;
	}
	return run(request, "Contact", &message.base, HTTP_NOT_FOUND);
}

/* Names near the caller, as an array without an object around it. */
static err_t near(struct api_request *request, const char *discovery)
{
	Dns__NearRequest message = DNS__NEAR_REQUEST__INIT;
	const ProtobufCMessage *reply;
	const Dns__NearList *list;
	const char *text = "[";
	err_t err;

	message.host = (char *)(uintptr_t)face_host(request);
	message.origin = (char *)(uintptr_t)face_address(request);
	message.discovery = (char *)(uintptr_t)discovery;
	if ((err = dns(request, "ListNear", &message.base, &reply)) != OK) {
		reply_error(request, err, HTTP_BAD_REQUEST);
		return OK;
	}
	list = (const Dns__NearList *)reply;
	for (size_t i = 0; i < list->n_items; i++)
		text = arena_printf(request->call->arena, "%s%s%s", text, i > 0 ? "," : "",
			json_write(request->call->arena, &list->items[i]->base, NULL));
	face_reply(request, HTTP_OK, JSON, arena_printf(request->call->arena, "%s]", text));
	return OK;
}

static err_t ping(struct api_request *request, const parameters_t *parameters)
{
	if (!is_missing(parameters->token))
		return contact(request, parameters);
	if (request->api->names_2017)
		return near(request, "");
	reply_missing(request, "token");
	return OK;
}

static err_t report(struct api_request *request, const parameters_t *parameters)
{
	if (is_missing(parameters->token) || is_missing(parameters->local_ip)) {
		reply_missing(request, is_missing(parameters->token) ? "token" : "local_ip");
		return OK;
	}
	return contact(request, parameters);
}

static err_t info(struct api_request *request, const parameters_t *parameters)
{
	Dns__TokenRef message = DNS__TOKEN_REF__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	message.token = parameters->token;
	if (is_missing(parameters->token)) {
		reply_missing(request, "token");
	} else if ((err = dns(request, "GetHolding", &message.base, &reply)) != OK) {
		reply_error(request, err, HTTP_NOT_FOUND);
	} else {
		Gateway__NameInfo answer = GATEWAY__NAME_INFO__INIT;
		const Dns__Holding *holding = (const Dns__Holding *)reply;

		answer.token = parameters->token;
		answer.name = holding->name;
		answer.remote_name = arena_printf(request->call->arena, "%s.", holding->name);
		answer.local_name = arena_printf(request->call->arena, "local.%s.", holding->name);
		answer.description = holding->description;
		answer.email = holding->email;
		answer.verified = holding->verified;
		answer.timestamp = holding->seen_at;
		answer.expire_s = holding->expire_s;
		answer.n_tunnel_urls = holding->n_tunnel_urls;
		answer.tunnel_urls = holding->tunnel_urls;
		answer.mode = strcmp(holding->kind, "dynamic") == 0 ? 1 : 0;
		answer.last_ip = answer.public_ip = holding->public_ip;
		answer.local_ip = holding->n_local_ips > 0 ? holding->local_ips[0] : "";
		answer.dns_challenge = holding->n_challenges > 0
					       ? holding->challenges[holding->n_challenges - 1]
					       : "";
		face_reply_json(request, HTTP_OK, &answer.base);
	}
	return OK;
}

static err_t dnsconfig(struct api_request *request, const parameters_t *parameters)
{
	Dns__ChallengeRequest message = DNS__CHALLENGE_REQUEST__INIT;

	if (is_missing(parameters->token) || is_missing(parameters->challenge)) {
		reply_missing(request, is_missing(parameters->token) ? "token" : "challenge");
		return OK;
	}
	message.token = parameters->token;
	message.value = parameters->challenge;
	return run(request, "SetChallenge", &message.base, HTTP_NOT_FOUND);
}

/* ---- mail ---- */

static err_t setemail(struct api_request *request, const parameters_t *parameters)
{
	Dns__EmailRequest message = DNS__EMAIL_REQUEST__INIT;

	if (is_missing(parameters->token) || is_missing(parameters->email)) {
		reply_missing(request, is_missing(parameters->token) ? "token" : "email");
		return OK;
	}
	message.token = parameters->token;
	message.email = parameters->email;
	message.optout = strcmp(parameters->optout, "1") == 0;
	return run(request, "SetEmail", &message.base, HTTP_NOT_FOUND);
}

#define PAGE(title, text)                                                                          \
	"<!doctype html><html lang=en><meta charset=utf-8><title>" title "</title><h1>" title      \
	"</h1><p>" text "</html>\n"

static err_t verifyemail(struct api_request *request, const parameters_t *parameters)
{
	Dns__VerifyRequest message = DNS__VERIFY_REQUEST__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	message.secret = parameters->s;
	if (is_missing(parameters->s)) {
		reply_missing(request, "s");
	} else if ((err = dns(request, "VerifyEmail", &message.base, &reply)) == OK) {
		face_reply(request, HTTP_OK, HTML,
			PAGE("Thank you", "Your mail address is confirmed."));
	} else if (err == ERR_NOT_FOUND) {
		face_reply(request, request->api->names_2017 ? HTTP_OK : HTTP_NOT_FOUND, HTML,
			PAGE("This link is not good any more",
				"It was used, or is older than a day. Ask for another one."));
	} else {
		reply_error(request, err, HTTP_NOT_FOUND);
	}
	return OK;
}

static err_t revokeemail(struct api_request *request, const parameters_t *parameters)
{
	Dns__TokenRef message = DNS__TOKEN_REF__INIT;

	if (is_missing(parameters->token)) {
		reply_missing(request, "token");
		return OK;
	}
	message.token = parameters->token;
	return run(request, "RevokeEmail", &message.base, HTTP_NOT_FOUND);
}

/* ---- discovery (2017) ---- */

static err_t set_discovery(struct api_request *request, const parameters_t *parameters, bool remove)
{
	Dns__DiscoveryRequest message = DNS__DISCOVERY_REQUEST__INIT;

	message.token = parameters->token;
	message.word = parameters->disco;
	message.remove = remove;
	return run(request, "SetDiscovery", &message.base, HTTP_BAD_REQUEST);
}

static err_t adddiscovery(struct api_request *request, const parameters_t *parameters)
{
	return set_discovery(request, parameters, false);
}

static err_t revokediscovery(struct api_request *request, const parameters_t *parameters)
{
	return set_discovery(request, parameters, true);
}

static err_t discovery(struct api_request *request, const parameters_t *parameters)
{
	if (*parameters->disco == '\0') {
		reply_missing(request, "disco");
		return OK;
	}
	return near(request, parameters->disco);
}

/* ---- routes ---- */

static err_t on_options(struct api_request *request)
{
	allow_any_origin(request);
	reply_empty(request, HTTP_OK);
	return OK;
}

static err_t on_check(struct api_request *request)
{
	allow_any_origin(request);
	face_reply(request, HTTP_OK, TEXT, "OK");
	return OK;
}

static err_t serve(struct api_request *request,
	err_t (*answer)(struct api_request *request, const parameters_t *parameters))
{
	parameters_t parameters;
	err_t err = read_parameters(request, &parameters);

	allow_any_origin(request);
	if (err == OK)
		return answer(request, &parameters);
	reply_error(request, err, HTTP_NOT_FOUND);
	return OK;
}

/* What only 2017 knew is not there without the setting. */
static err_t serve_2017(struct api_request *request,
	err_t (*answer)(struct api_request *request, const parameters_t *parameters))
{
	if (request->api->names_2017)
		return serve(request, answer);
	return call_refuse(request->call, ERR_NOT_FOUND, "", "there is nothing at this path");
}

#define ON(name, how)                                                                              \
	static err_t on_##name(struct api_request *request)                                        \
	{                                                                                          \
		return how(request, name);                                                         \
	}

ON(subscribe, serve)
ON(unsubscribe, serve)
ON(reclaim, serve)
ON(ping, serve)
ON(report, serve)
ON(info, serve)
ON(dnsconfig, serve)
ON(setemail, serve)
ON(verifyemail, serve)
ON(revokeemail, serve)
ON(adddiscovery, serve_2017)
ON(revokediscovery, serve_2017)
ON(discovery, serve_2017)

#define ROUTES(path, function, ...)                                                                \
	{ "GET", path, .handler = function, ##__VA_ARGS__ },                                       \
		{ "POST", path, .handler = function, ##__VA_ARGS__ },                              \
	{                                                                                          \
		"OPTIONS", path, .handler = on_options                                             \
	}

/* clang-format off */
const struct route registration_routes[] = {
	{ "GET", "/connectivity-check", .handler = on_check },
	{ "OPTIONS", "/connectivity-check", .handler = on_options },
	ROUTES("/subscribe", on_subscribe, .flags = ROUTE_COSTLY),
	ROUTES("/unsubscribe", on_unsubscribe),
	ROUTES("/reclaim", on_reclaim, .flags = ROUTE_COSTLY),
	ROUTES("/ping", on_ping),
	ROUTES("/info", on_info),
	ROUTES("/dnsconfig", on_dnsconfig),
	ROUTES("/setemail", on_setemail),
	ROUTES("/verifyemail", on_verifyemail, .flags = ROUTE_COSTLY),
	ROUTES("/revokeemail", on_revokeemail),
	{ "GET", "/register", .handler = on_report }, /* POST is acme-dns' */
	{ "OPTIONS", "/register", .handler = on_options },
	{ "GET", "/adddiscovery", .handler = on_adddiscovery },
	{ "GET", "/revokediscovery", .handler = on_revokediscovery },
	{ "GET", "/discovery", .handler = on_discovery },
	{ .method = NULL },
};
/* clang-format on */
