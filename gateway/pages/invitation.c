/*
 * invitation: the page behind the link of an invitation: the invited person chooses a password and
 * is a user from then on. In workers.
 */
#include "gateway/compat/face.h"

#include "gateway/admit.h"
#include "gateway/oauth/site.h"
#include "gateway/pages/page.h"
#include "proto/invitation.pb-c.h"

#include <string.h>

#define SERVICE (&auth__invitations__descriptor)

static void no_such(struct api_request *request)
{
	page_send_message(request, HTTP_NOT_FOUND, "This link is no longer good",
		"It was used already, taken back, or its time is over. Ask for a new one.", NULL);
}

static void ask_password(struct api_request *request, const char *secret,
	const Auth__InvitationOffer *offer, const char *wrong)
{
	struct page *page = page_begin(request, "Welcome");

	page_say(page, "<p>You are invited to <strong>", offer->tenant_name,
		"</strong> as <strong>");
	page_text(page, offer->name);
	page_say(page, "</strong> (", offer->role, "). Choose a password to get in.</p>\n");
	page_wrong(page, wrong);
	page_say(page,
		"<form method=\"post\" action=\"/invitation\">"
		"<input type=\"hidden\" name=\"secret\" value=\"",
		secret,
		"\"><input type=\"hidden\" name=\"user\" autocomplete=\"username\" value=\"");
	page_text(page, offer->name);
	page_markup(page,
		"\"><label for=\"password\">Password, of 12 characters or more</label>"
		"<input id=\"password\" name=\"password\" type=\"password\" required autofocus"
		" minlength=\"12\" maxlength=\"256\" autocomplete=\"new-password\">"
		"<label for=\"again\">The same once more</label>"
		"<input id=\"again\" name=\"again\" type=\"password\" required"
		" maxlength=\"256\" autocomplete=\"new-password\">"
		"<button class=\"main\">Set password</button></form>\n");
	page_send(page, wrong != NULL ? HTTP_BAD_REQUEST : HTTP_OK);
}

/* What the link offers; NULL: nothing, and the reply is made. */
static err_t check(
	struct api_request *request, const char *secret, const Auth__InvitationOffer **offer)
{
	Auth__InvitationSecret message = AUTH__INVITATION_SECRET__INIT;
	const ProtobufCMessage *reply = NULL;
	err_t err;

	*offer = NULL;
	message.secret = (char *)(uintptr_t)secret;
	if ((err = site_enter(request)) != OK)
		return err;
	err = bus_call(request->call, SERVICE, "CheckInvitation", &message.base, &reply);
	if (err == ERR_NOT_FOUND) {
		if ((err = admit_stranger(request, ADMIT_GUESS)) == OK)
			no_such(request);
		return err;
	}
	*offer = (const Auth__InvitationOffer *)reply;
	return err;
}

static err_t on_invitation(struct api_request *request)
{
	const char *secret = form_value(&request->target.query, "secret");
	const Auth__InvitationOffer *offer;
	err_t err = check(request, secret, &offer);

	if (err == OK && offer != NULL)
		ask_password(request, secret, offer, NULL);
	return err;
}

static void welcome(struct api_request *request, const Auth__InvitationOffer *offer)
{
	page_send_message(request, HTTP_OK, "You are in",
		arena_printf(request->call->arena,
			"From now on you sign in here as %s, with the password you have chosen.",
			offer->name),
		NULL);
}

static err_t accept(
	struct api_request *request, const struct form *form, const Auth__InvitationOffer *offer)
{
	Auth__AcceptInvitationRequest message = AUTH__ACCEPT_INVITATION_REQUEST__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	message.secret = (char *)(uintptr_t)form_value(form, "secret");
	message.password = (char *)(uintptr_t)form_value(form, "password");
	if (strcmp(message.password, form_value(form, "again")) != 0) {
		ask_password(request, message.secret, offer, "The two were not the same.");
		return OK;
	}
	err = bus_call(request->call, SERVICE, "AcceptInvitation", &message.base, &reply);
	switch (err) {
	case OK:
		welcome(request, offer);
		return OK;
	case ERR_NOT_FOUND:
		no_such(request);
		return OK;
	case ERR_INVALID_ARGUMENT:
	case ERR_ALREADY_EXISTS:
		ask_password(request, message.secret, offer, request->call->fault.detail);
		return OK;
	default:
		return err;
	}
}

static err_t on_invitation_form(struct api_request *request)
{
	const Auth__InvitationOffer *offer;
	struct form form;
	bool good;
	err_t err = page_read_form(request, &form, &good);

	if (err != OK || !good ||
		(err = check(request, form_value(&form, "secret"), &offer)) != OK || offer == NULL)
		return err;
	return accept(request, &form, offer);
}

const struct route invitation_page_routes[] = {
	{ .method = "GET", .path = "/invitation", .handler = on_invitation },
	{ .method = "POST",
		.path = "/invitation",
		.handler = on_invitation_form,
		.flags = ROUTE_FORM | ROUTE_REPEATABLE },
	{ .method = NULL },
};
