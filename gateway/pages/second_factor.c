/*
 * second_factor: see second_factor.h. A secret is made here and comes back with the form: nothing
 * is kept of it until a code shows that the app has it.
 */
#include "gateway/pages/second_factor.h"

#include "gateway/admit.h"
#include "gateway/compat/face.h"
#include "gateway/oauth/site.h"
#include "gateway/pages/page.h"
#include "gateway/pages/sign_in.h"
#include "lib/qr.h"
#include "proto/second_factor.pb-c.h"

#include <sodium.h>

#include <string.h>

#define SECRET_LEN 32 /* letters of base32: 20 bytes */
#define GROUP	   4

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* ---- what was wrong ---- */

err_t second_factor_words(struct api_request *request, const char *error, const char **words)
{
	if (strstr(error, "too many attempts") != NULL)
		*words = "Too many codes were tried. Wait five minutes, then try again.";
	else if (strstr(error, "replay") != NULL)
		*words = "This code was tried already. Wait for the next one.";
	else
		*words = "This is not the code.";
	return admit_stranger(request, ADMIT_GUESS);
}

/* ---- the code ---- */

static void ask_code(struct api_request *request, enum http_status status, const char *wrong)
{
	struct page *page = page_begin(request, "One more step");

	page_wrong(page, wrong);
	page_say(page, "<form method=\"post\" action=\"", request->http->target, "\">");
	page_code_field(page, "The code that your app shows, or one of your recovery codes");
	page_markup(page, "<button class=\"main\">Continue</button></form>\n"
			  "<form method=\"post\" action=\"/sign-out\">"
			  "<button>Sign in as somebody else</button></form>\n");
	page_send(page, status);
}

err_t second_factor_code(struct api_request *request, const struct form *form)
{
	Auth__ConfirmSignInRequest message = AUTH__CONFIRM_SIGN_IN_REQUEST__INIT;
	const ProtobufCMessage *reply;
	const char *error, *words;
	err_t err;

	message.code = (char *)(uintptr_t)(form != NULL ? form_value(form, "code") : "");
	if (*message.code == '\0') {
		ask_code(request, HTTP_OK, NULL);
		return OK;
	}
	message.secret = (char *)(uintptr_t)sign_in_secret(request);
	err = bus_call(
		request->call, &auth__oauth__descriptor, "ConfirmSignIn", &message.base, &reply);
	if (err != OK)
		return err;
	error = ((const Auth__ConfirmSignInReply *)reply)->error;
	if (*error == '\0')
		page_redirect(request, HTTP_SEE_OTHER, request->http->target);
	else if ((err = second_factor_words(request, error, &words)) == OK)
		ask_code(request, HTTP_UNAUTHORIZED, words);
	return err;
}

/* ---- enrolment ---- */

static const char *new_secret(struct arena *arena)
{
	char secret[SECRET_LEN + 1] = "";

	for (size_t i = 0; i < SECRET_LEN; i++)
		secret[i] = base32[randombytes_uniform(sizeof(base32) - 1)];
	return arena_strdup(arena, secret);
}

/* The secret of an earlier page, or a new one if it can't be that. */
static const char *secret_of(struct api_request *request, const struct form *form)
{
	const char *secret = form != NULL ? form_value(form, "secret") : "";
	bool good = strlen(secret) == SECRET_LEN && strspn(secret, base32) == SECRET_LEN;

	return good ? secret : new_secret(request->call->arena);
}

/* As Google Authenticator has it, and all apps since. */
static const char *otpauth(
	struct api_request *request, const Auth__SignIn *person, const char *secret)
{
	struct arena *arena = request->call->arena;
	const char *issuer = site_escape(arena, face_host_name(request));
	char *user = arena_strdup(arena, person->user);

	for (char *at = user; *at != '\0'; at++)
		if (*at == ':')
			*at = '_';
	return arena_printf(arena,
		"otpauth://totp/%s:%s?secret=%s&algorithm=SHA1&digits=6&period=30&issuer=%s",
		issuer, site_escape(arena, user), secret, issuer);
}

static void show_secret(struct page *page, const char *secret)
{
	page_markup(page, "<p class=\"detail\" id=\"secret\">");
	for (; *secret != '\0'; secret += GROUP) {
		char group[GROUP + 1];

		memcpy(group, secret, GROUP);
		group[GROUP] = '\0';
		page_say(page, "", group, " ");
	}
	page_markup(page, "</p>\n");
}

static void ask_enrolment(struct api_request *request, const Auth__SignIn *person,
	const char *secret, enum http_status status, const char *wrong)
{
	struct page *page = page_begin(request, "Set up your second factor");
	const char *uri = otpauth(request, person, secret);

	page_wrong(page, wrong);
	page_markup(page, "<p>Scan this with an app for one-time codes on your phone:</p>\n"
			  "<div class=\"qr\" role=\"img\" aria-label=\"QR code\">");
	page_markup(page, qr_svg(request->call->arena, uri));
	page_say(page, "</div>\n<p>On this phone, <a href=\"", uri,
		"\">open it in the app</a>; or type the key:</p>\n");
	show_secret(page, secret);
	page_say(page, "<form method=\"post\" action=\"", request->http->target,
		"\"><input type=\"hidden\" name=\"secret\" value=\"");
	page_say(page, "", secret, "\">");
	page_code_field(page, "The code that the app shows now");
	page_markup(page, "<button class=\"main\">Turn on</button></form>\n");
	page_send(page, status);
}

void second_factor_show_codes(
	struct api_request *request, size_t n, char *const codes[], const char *on)
{
	struct page *page = page_begin(request, "Your recovery codes");

	page_markup(page, "<p>Each of these is good once, in place of a code of your app. Print or "
			  "write them down: they are not shown again.</p>\n<ul class=\"codes\">\n");
	for (size_t i = 0; i < n; i++)
		page_say(page, "<li>", codes[i], "</li>\n");
	page_say(page, "</ul>\n<p><a href=\"", on, "\">I have them: continue</a></p>\n");
	page_send(page, HTTP_OK);
}

static err_t take(struct api_request *request, const struct form *form, const Auth__SignIn *person,
	const char *on)
{
	Auth__EnrolTotpRequest message = AUTH__ENROL_TOTP_REQUEST__INIT;
	const char *words, *secret = secret_of(request, form);
	const Auth__EnrolTotpReply *reply;
	const ProtobufCMessage *answer;
	err_t err;

	message.user = person->user_id;
	message.secret = (char *)(uintptr_t)secret;
	message.code = (char *)(uintptr_t)form_value(form, "code");
	message.recovery_codes = true;
	message.sign_in = (char *)(uintptr_t)sign_in_secret(request);
	err = bus_call(request->call, &auth__second_factors__descriptor, "EnrolTotp", &message.base,
		&answer);
	if (err != OK)
		return err;
	reply = (const Auth__EnrolTotpReply *)answer;
	if (*reply->error == '\0')
		second_factor_show_codes(
			request, reply->n_recovery_codes, reply->recovery_codes, on);
	else if (strcmp(reply->error, "user already enrolled") == 0)
		page_redirect(request, HTTP_SEE_OTHER, on);
	else if ((err = second_factor_words(request, reply->error, &words)) == OK)
		ask_enrolment(request, person, secret, HTTP_UNAUTHORIZED, words);
	return err;
}

err_t second_factor_enrol(struct api_request *request, const struct form *form,
	const Auth__SignIn *person, const char *on)
{
	if (form != NULL && *form_value(form, "secret") != '\0')
		return take(request, form, person, on);
	ask_enrolment(request, person, secret_of(request, form), HTTP_OK, NULL);
	return OK;
}
