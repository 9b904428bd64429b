/*
 * account: a person's own page: the apps that were let in and the browsers that are signed in, each
 * with its end, and the ways to the password and the second factor. In workers.
 */
#include "gateway/pages/account/account.h"

#include "gateway/compat/face.h"
#include "gateway/oauth/site.h"
#include "gateway/pages/account/browser.h"
#include "gateway/pages/page.h"
#include "gateway/pages/scopes.h"
#include "gateway/pages/sign_in.h"
#include "proto/second_factor.pb-c.h"

#include <string.h>

#define SERVICE	 (&auth__oauth__descriptor)
#define LIST_MAX 20 /* on a page */

err_t account_enter(struct api_request *request, struct form *form, const Auth__SignIn **person)
{
	bool good = true;
	err_t err;

	*person = NULL;
	if (form != NULL && ((err = page_read_form(request, form, &good)) != OK || !good))
		return err;
	if ((err = site_enter(request)) != OK)
		return err;
	return sign_in_require(request, form, person);
}

/* ---- the lists ---- */

static void show_app(struct page *page, const Auth__Authorization *app)
{
	page_say(page, "<div class=\"card\"><strong>",
		*app->client_name ? app->client_name : app->client_id, "</strong> may\n");
	scopes_list(page, app->n_scopes, app->scopes);
	page_markup(page, "<p class=\"more\">from ");
	page_time(page, app->created_at);
	page_markup(page, " to ");
	page_time(page, app->expires_at);
	page_say(page,
		"</p><form method=\"post\" action=\"/account/apps\">"
		"<input type=\"hidden\" name=\"id\" value=\"",
		app->id, "\"><button>Disconnect</button></form></div>\n");
}

static const char *show_apps(
	struct page *page, const ProtobufCMessage *reply, const Auth__SignIn *person)
{
	const Auth__AuthorizationList *list = (const Auth__AuthorizationList *)reply;

	(void)person;
	if (list->n_items == 0)
		page_markup(page, "<p>You have let no app in.</p>\n");
	for (size_t i = 0; i < list->n_items; i++)
		show_app(page, list->items[i]);
	return list->next_cursor;
}

static void show_sign_in(struct page *page, const Auth__SignIn *sign_in, bool own)
{
	page_say(page, "<div class=\"card\"><strong>", browser_name(sign_in->agent), "</strong>");
	page_say(page, own ? " (this browser)" : "", "", "\n<p class=\"more\">");
	page_say(page, "from ", sign_in->address, ", since ");
	page_time(page, sign_in->created_at);
	page_markup(page, ", last seen ");
	page_time(page, sign_in->seen_at);
	page_say(page,
		"</p><form method=\"post\" action=\"/account/sign-ins\">"
		"<input type=\"hidden\" name=\"id\" value=\"",
		sign_in->id, "\"><button>Sign out</button></form></div>\n");
}

static const char *show_sign_ins(
	struct page *page, const ProtobufCMessage *reply, const Auth__SignIn *person)
{
	const Auth__SignInList *list = (const Auth__SignInList *)reply;

	for (size_t i = 0; i < list->n_items; i++)
		show_sign_in(page, list->items[i], strcmp(list->items[i]->id, person->id) == 0);
	return list->next_cursor;
}

/* A list of the page, the newest first; `name` is the parameter of the page's query that says where
 * it begins. */
struct list {
	const char *title, *name, *method;
	/* Shows a page of it, and returns its next_cursor. */
	const char *(*show)(
		struct page *page, const ProtobufCMessage *reply, const Auth__SignIn *person);
};

static err_t show_list(struct api_request *request, struct page *page, const Auth__SignIn *person,
	const struct list *list)
{
	const char *begin = form_value(&request->target.query, list->name), *next;
	Auth__OwnListRequest message = AUTH__OWN_LIST_REQUEST__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	message.user = person->user_id;
	message.cursor = (char *)(uintptr_t)begin;
	message.limit = LIST_MAX;
	message.newest = true;
	err = bus_call(request->call, SERVICE, list->method, &message.base, &reply);
	if (err != OK)
		return err;
	page_say(page, "<h2>", list->title, "</h2>\n");
	next = list->show(page, reply, person);
	if (*begin)
		page_markup(page, "<p><a href=\"/account\">Newest</a></p>\n");
	if (*next) {
		page_say(page, "<p><a href=\"/account?", list->name, "=");
		page_say(page, "", next, "\">Older</a></p>\n");
	}
	return OK;
}

static err_t show_security(
	struct api_request *request, struct page *page, const Auth__SignIn *person)
{
	Auth__Ref message = AUTH__REF__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	message.id = person->user_id;
	err = bus_call(request->call, &auth__second_factors__descriptor, "GetSecondFactor",
		&message.base, &reply);
	if (err != OK)
		return err;
	page_say(page, "<h2>Security</h2>\n<p>The second factor is ",
		((const Auth__SecondFactor *)reply)->n_methods > 0 ? "on" : "off",
		": <a href=\"/account/second-factor\">change it</a>.</p>\n"
		"<p><a href=\"/account/password\">Change the password</a></p>\n");
	return OK;
}

/* ---- the page ---- */

static err_t show(struct api_request *request, struct page *page, const Auth__SignIn *person)
{
	static const struct list apps = { "Connected apps", "apps", "ListAuthorizations",
		show_apps };
	static const struct list sign_ins = { "Signed-in browsers", "sign-ins", "ListSignIns",
		show_sign_ins };
	err_t err = show_list(request, page, person, &apps);

	if (err != OK || (err = show_security(request, page, person)) != OK)
		return err;
	return show_list(request, page, person, &sign_ins);
}

static err_t on_account(struct api_request *request)
{
	const Auth__SignIn *person;
	struct page *page;
	err_t err = account_enter(request, NULL, &person);

	if (err != OK || person == NULL)
		return err;
	page = page_begin(request, "Your account");
	page_say(page,
		"<form method=\"post\" action=\"/sign-out\"><p>You are signed in as <strong>",
		person->user, "</strong>.</p><button>Sign out</button></form>\n");
	if ((err = show(request, page, person)) == OK)
		page_send(page, HTTP_OK);
	if (err != ERR_INVALID_ARGUMENT)
		return err;
	page_refuse_form(request, "invalid place in a list");
	return OK;
}

/* Its only form is that of signing in. */
static err_t on_account_form(struct api_request *request)
{
	const Auth__SignIn *person;
	struct form form;
	err_t err = account_enter(request, &form, &person);

	if (err == OK && person != NULL)
		page_redirect(request, HTTP_SEE_OTHER, "/account");
	return err;
}

/* Who signs in on the way of a form of the page comes by GET. */
static err_t on_way_back(struct api_request *request)
{
	page_redirect(request, HTTP_SEE_OTHER, "/account");
	return OK;
}

/* Ends something of the person. What is gone already is as it should be. */
static err_t end_own(struct api_request *request, const char *method)
{
	Auth__OwnRef message = AUTH__OWN_REF__INIT;
	const ProtobufCMessage *reply;
	const Auth__SignIn *person;
	struct form form;
	err_t err = account_enter(request, &form, &person);

	if (err != OK || person == NULL)
		return err;
	message.id = (char *)(uintptr_t)form_value(&form, "id");
	message.user = person->user_id;
	err = bus_call(request->call, SERVICE, method, &message.base, &reply);
	if (err != OK && err != ERR_NOT_FOUND && err != ERR_INVALID_ARGUMENT)
		return err;
	if (err == ERR_INVALID_ARGUMENT)
		page_refuse_form(request, "invalid \"id\"");
	else
		page_redirect(request, HTTP_SEE_OTHER, "/account");
	return OK;
}

static err_t on_apps(struct api_request *request)
{
	return end_own(request, "EndAuthorization");
}

static err_t on_sign_ins(struct api_request *request)
{
	return end_own(request, "EndSignIn");
}

const struct route account_page_routes[] = {
	ACCOUNT_PAGE("/account", on_account),
	ACCOUNT_FORM("/account", on_account_form),
	ACCOUNT_PAGE("/account/apps", on_way_back),
	ACCOUNT_FORM("/account/apps", on_apps),
	ACCOUNT_PAGE("/account/sign-ins", on_way_back),
	ACCOUNT_FORM("/account/sign-ins", on_sign_ins),
	{ .method = NULL },
};
