/* password: the page on which a person changes the password. In workers. */
#include "gateway/pages/account/account.h"

#include "gateway/admit.h"
#include "gateway/compat/face.h"
#include "gateway/pages/page.h"
#include "gateway/pages/sign_in.h"

#include <string.h>

static void field(struct page *page, const char *name, const char *label, const char *kind)
{
	page_say(page, "<label for=\"", name, "\">");
	page_say(page, "", label, "</label>");
	page_say(page, "<input id=\"", name,
		"\" type=\"password\" required maxlength=\"256\" name=\"");
	page_say(page, "", name, "\" autocomplete=\"");
	page_say(page, "", kind, "\">\n");
}

static void ask(struct api_request *request, const Auth__SignIn *person, const char *wrong)
{
	struct page *page = page_begin(request, "Change the password");

	page_wrong(page, wrong);
	page_say(page,
		"<form method=\"post\" action=\"/account/password\">"
		"<input type=\"hidden\" autocomplete=\"username\" value=\"",
		person->user, "\">");
	field(page, "password", "The present password", "current-password");
	field(page, "new_password", "The new one, of 12 characters or more", "new-password");
	field(page, "again", "The new one once more", "new-password");
	page_markup(page, "<button class=\"main\">Change</button></form>\n"
			  "<p>All other browsers are signed out then. Apps that you let in "
			  "stay: disconnect those that you don't know at your account.</p>\n"
			  "<p><a href=\"/account\">Back</a></p>\n");
	page_send(page, wrong != NULL ? HTTP_BAD_REQUEST : HTTP_OK);
}

/* What auth said to the change. */
static err_t show(struct api_request *request, const Auth__SignIn *person,
	const Auth__ChangePasswordReply *reply)
{
	err_t err = OK;

	if (*reply->error == '\0')
		page_send_message(request, HTTP_OK, "The password is changed",
			"All other browsers were signed out. Apps that you let in stay: disconnect "
			"those that you don't know at your account.",
			NULL);
	else if (strcmp(reply->error, "throttled") == 0)
		ask(request, person, "There were too many wrong passwords. Try again later.");
	else if (strcmp(reply->error, "new_password") == 0)
		ask(request, person,
			arena_printf(request->call->arena, "This can't be the new password: %s.",
				reply->error_description));
	else if ((err = admit_stranger(request, ADMIT_GUESS)) == OK)
		ask(request, person, "This is not the present password.");
	return err;
}

static err_t change(
	struct api_request *request, const struct form *form, const Auth__SignIn *person)
{
	Auth__ChangePasswordRequest message = AUTH__CHANGE_PASSWORD_REQUEST__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	message.sign_in = (char *)(uintptr_t)sign_in_secret(request);
	message.password = (char *)(uintptr_t)form_value(form, "password");
	message.new_password = (char *)(uintptr_t)form_value(form, "new_password");
	if (strcmp(message.new_password, form_value(form, "again")) != 0) {
		ask(request, person, "The two new passwords were not the same.");
		return OK;
	}
	err = bus_call(
		request->call, &auth__oauth__descriptor, "ChangePassword", &message.base, &reply);
	if (err == ERR_RESOURCE_EXHAUSTED) {
		sign_in_busy(request);
		return OK;
	}
	return err == OK ? show(request, person, (const Auth__ChangePasswordReply *)reply) : err;
}

static err_t on_password(struct api_request *request)
{
	const Auth__SignIn *person;
	err_t err = account_enter(request, NULL, &person);

	if (err == OK && person != NULL)
		ask(request, person, NULL);
	return err;
}

static err_t on_password_form(struct api_request *request)
{
	const Auth__SignIn *person;
	struct form form;
	err_t err = account_enter(request, &form, &person);

	return err == OK && person != NULL ? change(request, &form, person) : err;
}

const struct route password_page_routes[] = {
	ACCOUNT_PAGE("/account/password", on_password),
	ACCOUNT_FORM("/account/password", on_password_form),
	{ .method = NULL },
};
