/*
 * discovery: where apps learn what a site offers (docs/eduvpn.md): info.json of the old ones, and
 * .well-known/vpn-user-portal of those of today. In workers.
 */
#include "gateway/compat/eduvpn/eduvpn.h"

#include "gateway/oauth/site.h"
#include "lib/json.h"
#include "proto/gateway.pb-c.h"

/* Both endpoints of OAuth have to be of the same host as the API. */
#define URL(path) ((char *)(uintptr_t)site_url(request, path))

static const char *apis(struct api_request *request)
{
	Gateway__AppApi2 api2 = GATEWAY__APP_API2__INIT;
	Gateway__AppApi3 api3 = GATEWAY__APP_API3__INIT;
	struct arena *arena = request->call->arena;

	api2.api_base_uri = URL(EDUVPN_API);
	api3.api_endpoint = URL(EDUVPN_API "/v3");
	api2.authorization_endpoint = api3.authorization_endpoint =
		URL(EDUVPN_PORTAL "/_oauth/authorize");
	api2.token_endpoint = api3.token_endpoint = URL(EDUVPN_PORTAL "/oauth.php/token");
	/* The keys are no names of fields. */
	return arena_printf(arena,
		"\"api\":{\"http://eduvpn.org/api#2\":%s,\"http://eduvpn.org/api#3\":%s}",
		json_write(arena, &api2.base, NULL), json_write(arena, &api3.base, NULL));
}

static err_t send(struct api_request *request, const char *members)
{
	err_t err = site_enter(request);

	if (err == OK)
		face_reply(request, HTTP_OK, "application/json",
			arena_printf(request->call->arena, "{%s,\"v\":\"" LANYARD_VERSION "\"%s}",
				apis(request), members));
	return err;
}

static err_t on_well_known(struct api_request *request)
{
	return send(request, "");
}

/* What no app of today reads here: where a browser enrols, and that keys need not leave a device.
 */
static err_t on_info(struct api_request *request)
{
	struct arena *arena = request->call->arena;

	return send(
		request, arena_printf(arena,
				 ",\"two_factor_authentication\":{\"enroll_uri\":%s},"
				 "\"csr\":[\"create_keypair\",\"connect\"]",
				 json_text(arena, site_url(request, "/account/second-factor"))));
}

/* clang-format off */
const struct route eduvpn_discovery_routes[] = {
	{ .method = "GET", .path = "/info.json", .handler = on_info },
	{ .method = "GET", .path = "//info.json", .handler = on_info }, /* apps of 2018 */
	{ .method = "GET", .path = "/.well-known/vpn-user-portal", .handler = on_well_known },
	{ .method = NULL },
};
/* clang-format on */
