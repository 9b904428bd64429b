/*
 * authorize: the authorization endpoint as a person sees it (RFC 6749 section 4.1, RFC 9207), and
 * the page for who types the code of a device (RFC 8628 section 3.3). Errors of the client are
 * shown here and never sent to a redirect URI; only a person's refusal is. In workers.
 */
#include "gateway/pages/authorize.h"

#include "gateway/admit.h"
#include "gateway/compat/face.h"
#include "gateway/oauth/site.h"
#include "gateway/pages/page.h"
#include "gateway/pages/scopes.h"
#include "gateway/pages/sign_in.h"
#include "lib/mem.h"
#include "proto/oauth.pb-c.h"

#include <string.h>

#define SERVICE (&auth__oauth__descriptor)

/* ---- the authorization endpoint ---- */

static void show_error(struct api_request *request, const char *error, const char *description)
{
	page_send_message(request,
		strcmp(error, "invalid_client") == 0 ? HTTP_UNAUTHORIZED : HTTP_BAD_REQUEST,
		"This app can't be let in", "Its request was not as expected.",
		arena_printf(request->call->arena, "ERROR: %s (%s)", error, description));
}

static bool is_path(const struct target *target, size_t n, const char *const segments[])
{
	bool is = target->n_segments == n;

	for (size_t i = 0; is && i < n; i++)
		is = target->segments[i] != NULL && strcmp(target->segments[i], segments[i]) == 0;
	return is;
}

bool authorize_refuse(struct api_request *request)
{
	static const char *const path[] = { "oauth", "authorize" };
	static const char *const apps_path[] = { "vpn-user-portal", "_oauth", "authorize" };
	const char *field = request->call->fault.field;

	if (!is_path(&request->target, ARRAY_LEN(path), path) &&
		!is_path(&request->target, ARRAY_LEN(apps_path), apps_path))
		return false;
	if (*field == '\0')
		field = "query";
	show_error(request, "invalid_request",
		arena_printf(request->call->arena, "invalid \"%s\"", field));
	return true;
}

static void ask_approval(struct api_request *request, const Auth__SignIn *person,
	const Auth__AuthorizationCheck *check)
{
	struct page *page = page_begin(request, "Let this app in?");

	page_say(page, "<p><strong>", check->client_name, "</strong> wants to</p>\n");
	scopes_list(page, check->n_scopes, check->scopes);
	page_say(page, "<form method=\"post\" action=\"", request->http->target,
		"\"><button class=\"main\" name=\"approve\" value=\"yes\">Allow</button>"
		"<button name=\"approve\" value=\"no\">Refuse</button></form>\n");
	page_say(page, "<form method=\"post\" action=\"/sign-out\"><p>You are signed in as ",
		person->user, ".</p><button>Sign out</button></form>\n");
	page_send(page, HTTP_OK);
}

/* Back to the app with `name`=`value`, its state, and who we are. */
static void send_back(struct api_request *request, const Auth__AuthorizationRequest *authorization,
	const char *name, const char *value)
{
	struct arena *arena = request->call->arena;
	const char *uri = authorization->redirect_uri;

	page_redirect(request, HTTP_FOUND,
		arena_printf(arena, "%s%s%s=%s&state=%s&iss=%s", uri,
			strchr(uri, '?') != NULL ? "&" : "?", name, site_escape(arena, value),
			site_escape(arena, authorization->state),
			site_escape(arena, site_url(request, "/"))));
}

static err_t give_code(struct api_request *request, Auth__AuthorizationRequest *authorization)
{
	Auth__AuthorizeRequest message = AUTH__AUTHORIZE_REQUEST__INIT;
	const Auth__AuthorizationCode *code;
	const ProtobufCMessage *reply;
	err_t err;

	message.request = authorization;
	message.sign_in = (char *)(uintptr_t)sign_in_secret(request);
	if ((err = bus_call(request->call, SERVICE, "Authorize", &message.base, &reply)) != OK)
		return err;
	code = (const Auth__AuthorizationCode *)reply;
	if (*code->error)
		show_error(request, code->error, code->error_description);
	else
		send_back(request, authorization, "code", code->code);
	return OK;
}

/* The person's answer, of a POST. */
static err_t decide(struct api_request *request, const struct form *form,
	Auth__AuthorizationRequest *authorization)
{
	const char *approve = form_value(form, "approve");

	if (strcmp(approve, "yes") == 0)
		return give_code(request, authorization);
	if (strcmp(approve, "no") == 0)
		send_back(request, authorization, "error", "access_denied");
	else
		page_refuse_form(request,
			*approve ? "invalid \"approve\"" : "missing \"approve\" parameter");
	return OK;
}

static err_t authorize(struct api_request *request, const struct form *form)
{
	Auth__AuthorizationRequest authorization = AUTH__AUTHORIZATION_REQUEST__INIT;
	const Auth__AuthorizationCheck *check;
	const Auth__SignIn *person;
	const ProtobufCMessage *reply;
	err_t err;

	site_fill(&request->target.query, &authorization.base);
	if ((err = site_enter(request)) != OK ||
		(err = bus_call(request->call, SERVICE, "CheckAuthorization", &authorization.base,
			 &reply)) != OK)
		return err;
	check = (const Auth__AuthorizationCheck *)reply;
	if (*check->error) {
		show_error(request, check->error, check->error_description);
		return OK;
	}
	if ((err = sign_in_require(request, form, &person)) != OK || person == NULL)
		return err;
	if (form != NULL)
		return decide(request, form, &authorization);
	if (!check->approval)
		return give_code(request, &authorization);
	ask_approval(request, person, check);
	return OK;
}

static err_t on_authorize(struct api_request *request)
{
	return authorize(request, NULL);
}

static err_t on_authorize_form(struct api_request *request)
{
	struct form form;
	bool good;
	err_t err = page_read_form(request, &form, &good);

	return err == OK && good ? authorize(request, &form) : err;
}

/* ---- the code of a device ---- */

static void ask_user_code(struct api_request *request, const char *typed, const char *wrong)
{
	struct page *page = page_begin(request, "Connect a device");

	if (wrong != NULL)
		page_say(page, "<p class=\"wrong\" role=\"alert\">", wrong, "</p>\n");
	page_say(page,
		"<form method=\"get\" action=\"/oauth/device\">"
		"<label for=\"user_code\">The code that the device shows</label>"
		"<input id=\"user_code\" name=\"user_code\" required maxlength=\"32\" autofocus"
		" autocomplete=\"off\" autocapitalize=\"characters\" value=\"",
		typed, "\"><button class=\"main\">Continue</button></form>\n");
	page_send(page, wrong != NULL ? HTTP_NOT_FOUND : HTTP_OK);
}

static void ask_device_approval(
	struct api_request *request, const char *user_code, const Auth__UserCodeCheck *check)
{
	struct page *page = page_begin(request, "Let this device in?");

	page_say(page, "<p>A device with the code <strong>", user_code, "</strong>");
	page_say(page, " runs <strong>", check->client_name, "</strong> and wants to</p>\n");
	scopes_list(page, check->n_scopes, check->scopes);
	page_say(page,
		"<p>Go on only if you see this code on a device of yours.</p>\n"
		"<form method=\"post\" action=\"/oauth/device\">"
		"<input type=\"hidden\" name=\"user_code\" value=\"",
		user_code,
		"\"><button class=\"main\" name=\"approve\" value=\"yes\">Allow</button>"
		"<button name=\"approve\" value=\"no\">Refuse</button></form>\n");
	page_send(page, HTTP_OK);
}

/* A code that nobody waits with counts against who types it, and against the address. */
static err_t refuse_user_code(
	struct api_request *request, const Auth__SignIn *person, const char *typed)
{
	const char *subject = arena_printf(request->call->arena, "user:%s", person->user_id);
	err_t err = admit_stranger(request, ADMIT_GUESS);

	if (err != OK || (err = admit_subject(request, subject, ADMIT_GUESS)) != OK)
		return err;
	ask_user_code(request, typed, "No device waits with this code.");
	return OK;
}

static err_t on_device(struct api_request *request)
{
	const char *user_code = form_value(&request->target.query, "user_code");
	Auth__UserCodeRequest message = AUTH__USER_CODE_REQUEST__INIT;
	const Auth__SignIn *person;
	const ProtobufCMessage *reply;
	err_t err;

	if ((err = site_enter(request)) != OK ||
		(err = sign_in_require(request, NULL, &person)) != OK || person == NULL)
		return err;
	if (*user_code == '\0') {
		ask_user_code(request, "", NULL);
		return OK;
	}
	message.user_code = (char *)(uintptr_t)user_code;
	err = bus_call(request->call, SERVICE, "CheckUserCode", &message.base, &reply);
	if (err == ERR_NOT_FOUND)
		return refuse_user_code(request, person, user_code);
	if (err == OK)
		ask_device_approval(request, user_code, (const Auth__UserCodeCheck *)reply);
	return err;
}

static err_t decide_device(
	struct api_request *request, const struct form *form, const Auth__SignIn *person)
{
	Auth__DecideUserCodeRequest message = AUTH__DECIDE_USER_CODE_REQUEST__INIT;
	const char *approve = form_value(form, "approve");
	const ProtobufCMessage *reply;
	err_t err;

	if (strcmp(approve, "yes") != 0 && strcmp(approve, "no") != 0) {
		page_refuse_form(request, "invalid \"approve\"");
		return OK;
	}
	message.user_code = (char *)(uintptr_t)form_value(form, "user_code");
	message.sign_in = (char *)(uintptr_t)sign_in_secret(request);
	message.approve = strcmp(approve, "yes") == 0;
	err = bus_call(request->call, SERVICE, "DecideUserCode", &message.base, &reply);
	if (err == ERR_NOT_FOUND)
		return refuse_user_code(request, person, message.user_code);
	if (err == OK)
		page_send_message(request, HTTP_OK, message.approve ? "Allowed" : "Refused",
			message.approve ? "The device goes on by itself. You may close this page."
					: "The device was not let in.",
			NULL);
	return err;
}

static err_t on_device_form(struct api_request *request)
{
	const Auth__SignIn *person;
	struct form form;
	bool good;
	err_t err = page_read_form(request, &form, &good);

	if (err != OK || !good || (err = site_enter(request)) != OK ||
		(err = sign_in_require(request, &form, &person)) != OK || person == NULL)
		return err;
	return decide_device(request, &form, person);
}

static err_t on_sign_out(struct api_request *request)
{
	struct form form;
	bool good;
	err_t err = page_read_form(request, &form, &good);

	return err == OK && good ? sign_in_end(request) : err;
}

/* clang-format off */
#define PAGE(pattern, on) { .method = "GET", .path = pattern, .handler = on }
#define PAGE_FORM(pattern, on) \
	{ .method = "POST", .path = pattern, .handler = on, .flags = ROUTE_FORM | ROUTE_REPEATABLE }

const struct route oauth_page_routes[] = {
	PAGE("/oauth/authorize", on_authorize),
	PAGE_FORM("/oauth/authorize", on_authorize_form),
	PAGE("/vpn-user-portal/_oauth/authorize", on_authorize), /* as VPN apps know it */
	PAGE_FORM("/vpn-user-portal/_oauth/authorize", on_authorize_form),
	PAGE("/oauth/device", on_device),
	PAGE_FORM("/oauth/device", on_device_form),
	PAGE_FORM("/sign-out", on_sign_out),
	PAGE("/pages/style.css", page_style),
	{ .method = NULL },
};
/* clang-format on */
