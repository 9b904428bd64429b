/*
 * provider: see provider.h. The browser keeps a secret of its own while it is away, so that nobody
 * is signed in with what somebody else brought back.
 */
#include "gateway/pages/provider.h"

#include "gateway/admit.h"
#include "gateway/compat/face.h"
#include "gateway/oauth/site.h"
#include "gateway/pages/cookie.h"
#include "gateway/pages/sign_in.h"
#include "proto/provider.pb-c.h"

#define SERVICE (&auth__identity_providers__descriptor)
#define COOKIE	"__Host-provider"
#define LIFE	"; Max-Age=600"
#define BACK	"/sign-in/callback"

void provider_buttons(struct api_request *request, struct page *page)
{
	Auth__ListRequest message = AUTH__LIST_REQUEST__INIT;
	const Auth__IdentityProviderList *list;
	const ProtobufCMessage *reply;

	if (bus_call(request->call, SERVICE, "ListIdentityProviders", &message.base, &reply) != OK)
		return; /* a password will do */
	list = (const Auth__IdentityProviderList *)reply;
	for (size_t i = 0; i < list->n_items; i++) {
		page_say(page,
			"<form method=\"post\" action=\"/sign-in/provider\">"
			"<input type=\"hidden\" name=\"target\" value=\"",
			request->http->target, "\">");
		page_say(page, "<input type=\"hidden\" name=\"provider\" value=\"",
			list->items[i]->id, "\">");
		page_say(page, "<button>Sign in with ", list->items[i]->name, "</button></form>\n");
	}
}

/* A provider that does not answer is nobody's fault here. */
static err_t unavailable(struct api_request *request, err_t err)
{
	if (err != ERR_UNAVAILABLE && err != ERR_RESOURCE_EXHAUSTED && err != ERR_DEADLINE_EXCEEDED)
		return err;
	page_send_message(request, HTTP_UNAVAILABLE, "That did not work",
		"The identity provider does not answer just now. Please go back and try again.",
		NULL);
	return OK;
}

static err_t on_go(struct api_request *request)
{
	Auth__BeginVisitRequest message = AUTH__BEGIN_VISIT_REQUEST__INIT;
	const ProtobufCMessage *reply;
	const Auth__Visit *visit;
	struct form form;
	bool good;
	err_t err = page_read_form(request, &form, &good);

	if (err != OK || !good || (err = site_enter(request)) != OK)
		return err;
	message.provider = (char *)(uintptr_t)form_value(&form, "provider");
	message.target = (char *)(uintptr_t)form_value(&form, "target");
	message.redirect_uri = (char *)(uintptr_t)site_url(request, BACK);
	err = bus_call(request->call, SERVICE, "BeginVisit", &message.base, &reply);
	if (err == ERR_INVALID_ARGUMENT || err == ERR_NOT_FOUND) {
		page_refuse_form(request, request->call->fault.detail);
		return OK;
	}
	if (err != OK)
		return unavailable(request, err);
	visit = (const Auth__Visit *)reply;
	cookie_set(request, COOKIE, visit->secret, LIFE);
	page_redirect(request, HTTP_SEE_OTHER, visit->url);
	return OK;
}

static err_t refuse(struct api_request *request, const char *why)
{
	err_t err = admit_stranger(request, ADMIT_GUESS);

	if (err == OK)
		page_send_message(request, HTTP_FORBIDDEN, "You are not signed in", why, NULL);
	return err;
}

static err_t on_back(struct api_request *request)
{
	Auth__EndVisitRequest message = AUTH__END_VISIT_REQUEST__INIT;
	const struct form *query = &request->target.query;
	const char *agent = request->http->headers.user_agent;
	const ProtobufCMessage *reply;
	const Auth__VisitEnd *end;
	err_t err = site_enter(request);

	if (err != OK)
		return err;
	message.secret = (char *)(uintptr_t)cookie_get(request, COOKIE);
	message.state = (char *)(uintptr_t)form_value(query, "state");
	message.code = (char *)(uintptr_t)form_value(query, "code");
	message.redirect_uri = (char *)(uintptr_t)site_url(request, BACK);
	message.address = (char *)(uintptr_t)face_address(request);
	message.agent = (char *)(uintptr_t)(agent != NULL ? agent : "");
	err = bus_call(request->call, SERVICE, "EndVisit", &message.base, &reply);
	if (err != OK)
		return unavailable(request, err);
	end = (const Auth__VisitEnd *)reply;
	if (*end->error)
		return refuse(request, end->error);
	sign_in_take(request, end->sign_in->secret, end->target);
	return OK;
}

const struct route provider_page_routes[] = {
	{ .method = "POST",
		.path = "/sign-in/provider",
		.handler = on_go,
		.flags = ROUTE_FORM | ROUTE_REPEATABLE },
	{ .method = "GET", .path = BACK, .handler = on_back },
	{ .method = NULL },
};
