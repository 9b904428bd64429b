/*
 * own_factor: the page on which a person sets up the second factor, gets new recovery codes, or
 * turns it off. In workers.
 */
#include "gateway/pages/account/account.h"

#include "gateway/compat/face.h"
#include "gateway/pages/page.h"
#include "gateway/pages/second_factor.h"
#include "proto/second_factor.pb-c.h"

#include <string.h>

#define SERVICE (&auth__second_factors__descriptor)

static err_t get(
	struct api_request *request, const Auth__SignIn *person, const Auth__SecondFactor **factor)
{
	Auth__Ref message = AUTH__REF__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	message.id = person->user_id;
	err = bus_call(request->call, SERVICE, "GetSecondFactor", &message.base, &reply);
	if (err == OK)
		*factor = (const Auth__SecondFactor *)reply;
	return err;
}

static void show(struct api_request *request, const Auth__SecondFactor *factor, const char *wrong)
{
	struct page *page = page_begin(request, "Your second factor");
	const char *left = arena_printf(request->call->arena, "%u", factor->recovery_codes);

	page_wrong(page, wrong);
	page_markup(page, "<p>On since ");
	page_time(page, factor->enrolled_at);
	page_say(page, ". Recovery codes that you have left: <strong>", left, "</strong>.</p>\n");
	page_markup(page, "<form method=\"post\" action=\"/account/second-factor\">");
	page_code_field(page, "The code that your app shows, or a recovery code");
	page_markup(page,
		"<button class=\"main\" name=\"do\" value=\"renew\">New recovery codes"
		"</button><button name=\"do\" value=\"disable\">Turn off</button></form>\n"
		"<p><a href=\"/account\">Back</a></p>\n");
	page_send(page, wrong != NULL ? HTTP_BAD_REQUEST : HTTP_OK);
}

/* A code was wrong: says so above the form. */
static err_t show_wrong(
	struct api_request *request, const Auth__SecondFactor *factor, const char *error)
{
	const char *words;
	err_t err = second_factor_words(request, error, &words);

	if (err == OK)
		show(request, factor, words);
	return err;
}

static err_t renew(struct api_request *request, Auth__CheckTotpRequest *message,
	const Auth__SecondFactor *factor)
{
	const Auth__RecoveryCodes *codes;
	const ProtobufCMessage *reply;
	err_t err = bus_call(request->call, SERVICE, "RenewRecoveryCodes", &message->base, &reply);

	if (err != OK)
		return err;
	codes = (const Auth__RecoveryCodes *)reply;
	if (*codes->error)
		return show_wrong(request, factor, codes->error);
	second_factor_show_codes(request, codes->n_codes, codes->codes, "/account");
	return OK;
}

static err_t disable(struct api_request *request, Auth__CheckTotpRequest *message,
	const Auth__SecondFactor *factor)
{
	const ProtobufCMessage *reply;
	const char *error;
	err_t err = bus_call(request->call, SERVICE, "DisableSecondFactor", &message->base, &reply);

	if (err == ERR_FAILED_PRECONDITION) {
		show(request, factor, "Your organisation wants a second factor of everybody.");
		return OK;
	}
	if (err != OK)
		return err;
	error = ((const Auth__CheckTotpReply *)reply)->error;
	if (*error)
		return show_wrong(request, factor, error);
	page_redirect(request, HTTP_SEE_OTHER, "/account");
	return OK;
}

static err_t change(struct api_request *request, const struct form *form,
	const Auth__SignIn *person, const Auth__SecondFactor *factor)
{
	Auth__CheckTotpRequest message = AUTH__CHECK_TOTP_REQUEST__INIT;
	const char *what = form_value(form, "do");

	message.user = person->user_id;
	message.code = (char *)(uintptr_t)form_value(form, "code");
	if (strcmp(what, "renew") == 0)
		return renew(request, &message, factor);
	if (strcmp(what, "disable") == 0)
		return disable(request, &message, factor);
	page_refuse_form(request, "invalid \"do\"");
	return OK;
}

static err_t second_factor(struct api_request *request, struct form *form)
{
	const Auth__SecondFactor *factor;
	const Auth__SignIn *person;
	err_t err = account_enter(request, form, &person);

	if (err != OK || person == NULL || (err = get(request, person, &factor)) != OK)
		return err;
	if (factor->n_methods == 0)
		return second_factor_enrol(request, form, person, "/account");
	if (form != NULL)
		return change(request, form, person, factor);
	show(request, factor, NULL);
	return OK;
}

static err_t on_second_factor(struct api_request *request)
{
	return second_factor(request, NULL);
}

static err_t on_second_factor_form(struct api_request *request)
{
	struct form form;

	return second_factor(request, &form);
}

const struct route own_factor_page_routes[] = {
	ACCOUNT_PAGE("/account/second-factor", on_second_factor),
	ACCOUNT_FORM("/account/second-factor", on_second_factor_form),
	{ .method = NULL },
};
