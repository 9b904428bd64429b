/* sign_in: see sign_in.h. */
#include "gateway/pages/sign_in.h"

#include "gateway/admit.h"
#include "gateway/compat/face.h"
#include "gateway/oauth/site.h"
#include "gateway/pages/cookie.h"
#include "gateway/pages/page.h"
#include "gateway/pages/provider.h"
#include "gateway/pages/second_factor.h"

#include <string.h>

#define COOKIE "__Host-sign-in"
#define KNOWN  "__Host-browser" /* with which its user got in before */
#define YEAR   "; Max-Age=31536000"
#define BUSY_S "2"

const char *sign_in_secret(struct api_request *request)
{
	return cookie_get(request, COOKIE);
}

/* ---- the page ---- */

static void ask(struct api_request *request, enum http_status status, const char *wrong)
{
	struct page *page = page_begin(request, "Sign in");

	page_wrong(page, wrong);
	page_say(page, "<form method=\"post\" action=\"", request->http->target,
		"\">\n<label for=\"user\">User name</label>"
		"<input id=\"user\" name=\"user\" required maxlength=\"128\" autofocus"
		" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\">\n"
		"<label for=\"password\">Password</label>"
		"<input id=\"password\" name=\"password\" type=\"password\" required"
		" maxlength=\"256\" autocomplete=\"current-password\">\n"
		"<button class=\"main\">Sign in</button></form>\n");
	provider_buttons(request, page);
	page_send(page, status);
}

/* Passwords are dear to check, and only so many are at once. */
void sign_in_busy(struct api_request *request)
{
	http_reply_add(request->reply, "Retry-After", BUSY_S);
	page_send_message(request, HTTP_UNAVAILABLE, "Too many sign in at once",
		"Please go back and try again in a moment.", NULL);
}

/* No name is told apart from another, and no password from another. */
static err_t refuse(struct api_request *request, const Auth__SignIn *reply)
{
	struct arena *arena = request->call->arena;
	err_t err = admit_stranger(request, ADMIT_GUESS);

	if (err != OK)
		return err;
	if (strcmp(reply->error, "wrong") == 0) {
		ask(request, HTTP_UNAUTHORIZED,
			"There is no such user, or this is not the password.");
		return OK;
	}
	http_reply_add(
		request->reply, "Retry-After", arena_printf(arena, "%u", reply->retry_after_s));
	ask(request, HTTP_TOO_MANY_REQUESTS,
		arena_printf(arena,
			"There were too many wrong passwords for this user. Wait %u minutes, or "
			"use a "
			"browser or a network with which you signed in before.",
			(reply->retry_after_s + 59) / 60));
	return OK;
}

static err_t ask_auth(
	struct api_request *request, const struct form *form, const Auth__SignIn **reply)
{
	Auth__SignInRequest message = AUTH__SIGN_IN_REQUEST__INIT;
	const char *agent = request->http->headers.user_agent;
	const ProtobufCMessage *answer = NULL;
	err_t err;

	message.user = (char *)(uintptr_t)form_value(form, "user");
	message.password = (char *)(uintptr_t)form_value(form, "password");
	message.address = (char *)(uintptr_t)face_address(request);
	message.agent = (char *)(uintptr_t)(agent != NULL ? agent : "");
	message.browser = (char *)(uintptr_t)cookie_get(request, KNOWN);
	err = bus_call(
		request->call, &auth__oauth__descriptor, "CreateSignIn", &message.base, &answer);
	*reply = (const Auth__SignIn *)answer;
	return err;
}

static err_t try_password(struct api_request *request, const struct form *form)
{
	const Auth__SignIn *reply;
	err_t err = ask_auth(request, form, &reply);

	if (err == ERR_RESOURCE_EXHAUSTED) {
		sign_in_busy(request);
		return OK;
	}
	if (err != OK)
		return err;
	if (*reply->error)
		return refuse(request, reply);
	cookie_set(request, COOKIE, reply->secret, "");
	if (*reply->browser)
		cookie_set(request, KNOWN, reply->browser, YEAR);
	page_redirect(request, HTTP_SEE_OTHER, request->http->target);
	return OK;
}

/* What the person still has to do, whose password was right. */
static err_t complete(
	struct api_request *request, const struct form *form, const Auth__SignIn *person)
{
	if (strcmp(person->state, "active") != 0) {
		page_send_message(request, HTTP_FORBIDDEN, "account disabled",
			"This account was blocked by its organisation.", NULL);
		return OK;
	}
	if (strcmp(person->needs, "code") == 0)
		return second_factor_code(request, form);
	return second_factor_enrol(request, form, person, request->http->target);
}

err_t sign_in_require(
	struct api_request *request, const struct form *form, const Auth__SignIn **person)
{
	Auth__SignInRef message = AUTH__SIGN_IN_REF__INIT;
	const Auth__SignIn *found;
	const ProtobufCMessage *reply;
	err_t err;

	*person = NULL;
	if (form != NULL && *form_value(form, "user") != '\0')
		return try_password(request, form);
	message.secret = (char *)(uintptr_t)sign_in_secret(request);
	err = bus_call(request->call, &auth__oauth__descriptor, "GetSignIn", &message.base, &reply);
	if (err == ERR_UNAUTHENTICATED) {
		ask(request, HTTP_OK, NULL);
		return OK;
	}
	if (err != OK)
		return err;
	found = (const Auth__SignIn *)reply;
	if (*found->needs || strcmp(found->state, "active") != 0)
		return complete(request, form, found);
	*person = found;
	return OK;
}

void sign_in_take(struct api_request *request, const char *secret, const char *target)
{
	cookie_set(request, COOKIE, secret, "");
	page_redirect(request, HTTP_SEE_OTHER, target);
}

err_t sign_in_end(struct api_request *request)
{
	Auth__SignInRef message = AUTH__SIGN_IN_REF__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	if ((err = site_enter(request)) != OK)
		return err;
	message.secret = (char *)(uintptr_t)sign_in_secret(request);
	err = bus_call(
		request->call, &auth__oauth__descriptor, "DeleteSignIn", &message.base, &reply);
	if (err != OK)
		return err;
	cookie_set(request, COOKIE, "", "; Max-Age=0");
	page_send_message(request, HTTP_OK, "Signed out", "This browser is signed out.", NULL);
	return OK;
}
