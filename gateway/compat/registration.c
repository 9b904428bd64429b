/*
 * registration: the API by which a device gets a name, as the gateway of Mozilla's project speaks
 * it: GET with a query, as always; POST with JSON and "Authorization: Bearer TOKEN" too. With
 * LANYARD_NAMES_2017 it answers as it did in 2017.
 */
#include "gateway/compat/registration.h"

#include "lib/json.h"

#include <string.h>

/* ---- parameters ---- */

static bool is_parameter(const char *name)
{
	return protobuf_c_message_descriptor_get_field_by_name(
		       &gateway__name_parameters__descriptor, name) != NULL;
}

/* Of the query (what is unknown there is passed over, as ever), the body, and the header. */
static err_t read_parameters(struct api_request *request, registration_parameters_t *parameters)
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

static void allow_any_origin(struct api_request *request)
{
	http_reply_add(request->reply, "Access-Control-Allow-Origin", "*");
	http_reply_add(request->reply, "Access-Control-Allow-Methods", "GET, POST, OPTIONS");
	http_reply_add(
		request->reply, "Access-Control-Allow-Headers", "Authorization, Content-Type");
}

/* ---- routes ---- */

static err_t on_options(struct api_request *request)
{
	allow_any_origin(request);
	registration_reply_empty(request, HTTP_OK);
	return OK;
}

static err_t on_check(struct api_request *request)
{
	allow_any_origin(request);
	face_reply(request, HTTP_OK, REGISTRATION_TEXT, "OK");
	return OK;
}

static err_t serve(struct api_request *request,
	err_t (*answer)(struct api_request *request, const registration_parameters_t *parameters))
{
	registration_parameters_t parameters;
	err_t err = read_parameters(request, &parameters);

	allow_any_origin(request);
	if (err == OK)
		return answer(request, &parameters);
	registration_reply_error(request, err, HTTP_NOT_FOUND);
	return OK;
}

/* What only 2017 knew is not there without the setting. */
static err_t serve_2017(struct api_request *request,
	err_t (*answer)(struct api_request *request, const registration_parameters_t *parameters))
{
	if (request->api->names_2017)
		return serve(request, answer);
	return call_refuse(request->call, ERR_NOT_FOUND, "", "there is nothing at this path");
}

#define ON(name, how)                                                                              \
	static err_t on_##name(struct api_request *request)                                        \
	{                                                                                          \
		return how(request, registration_##name);                                          \
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
	ROUTES("/setemail", on_setemail, .flags = ROUTE_COSTLY),
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
