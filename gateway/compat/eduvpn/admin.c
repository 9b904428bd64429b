/*
 * admin: the API by which a tenant's own programs fetch configurations for users, who need no app
 * and no password, and take them away again (docs/eduvpn.md). In workers.
 */
#include "gateway/compat/eduvpn/eduvpn.h"

#include "gateway/admit.h"
#include "gateway/oauth/site.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/uuid.h"
#include "proto/auth.pb-c.h"

#include <stdlib.h>
#include <string.h>

#define SCOPE	       "vpn-users:write"
#define LISTED_AS      "Admin API"
#define MINUTE_S       60L
#define HOUR_S	       (60 * MINUTE_S)
#define DAY_S	       (24 * HOUR_S)
#define EXPIRES_MAX_S  (10 * 366 * DAY_S)
#define NUMBER_MAX_LEN 9

/* ---- who asks ---- */

/* An API key of the site's tenant, and no other credential. */
static err_t find_caller(struct api_request *request)
{
	const char *tenant = request->call->tenant;
	struct credentials credentials;
	err_t err = credentials_parse(
		request->call, request->http->headers.authorization, &credentials);

	if (err == OK && credentials.kind != CREDENTIALS_API_KEY)
		err = ERR_UNAUTHENTICATED;
	if (err == OK)
		err = identity_find(
			request->call, request->api->trust, &credentials, &request->caller);
	request->call->tenant = tenant;
	if (err == OK && strcmp(request->caller.tenant, tenant) != 0)
		err = ERR_UNAUTHENTICATED;
	return err;
}

static void refuse_caller(struct eduvpn *edu)
{
	http_reply_add(edu->request->reply, "WWW-Authenticate", "Bearer realm=\"Protected Area\"");
	eduvpn_error(edu, HTTP_UNAUTHORIZED, "authentication required");
}

/* Until the tenant wants it the API is not there. */
static bool is_open(struct eduvpn *edu, err_t *err)
{
	Provision__Empty nothing = PROVISION__EMPTY__INIT;
	const Provision__AppSettings *settings;

	*err = admit_stranger(edu->request, 0);
	if (*err == OK)
		*err = site_enter(edu->request);
	if (*err == OK)
		*err = eduvpn_ask(edu, "GetAppSettings", &nothing.base, (const void **)&settings);
	if (*err != OK || settings->admin_api)
		return *err == OK;
	if ((*err = admit_stranger(edu->request, 1)) == OK)
		eduvpn_refuse_path(edu);
	return false;
}

bool eduvpn_believe_key(struct eduvpn *edu, err_t *err)
{
	struct api_request *request = edu->request;

	if (!is_open(edu, err))
		return false;
	*err = find_caller(request);
	if (*err == ERR_UNAUTHENTICATED && (*err = admit_stranger(request, 1)) == OK) {
		refuse_caller(edu);
		return false;
	}
	if (*err != OK || (*err = admit_subject(request, request->caller.subject, 1)) != OK)
		return false;
	if (!identity_may(&request->caller, SCOPE)) {
		eduvpn_error(edu, HTTP_FORBIDDEN, "this needs a key with the scope " SCOPE);
		return false;
	}
	request->call->actor = request->caller.subject;
	return true;
}

/* ---- create ---- */

/* ISO 8601: P1Y, P90D, PT12H; a year is 365 days, a month 30. 0: it is none. */
static long read_duration(const char *text)
{
	static const struct {
		bool of_day; /* behind the T */
		char letter;
		long s;
	} units[] = { { false, 'Y', 365 * DAY_S }, { false, 'M', 30 * DAY_S },
		{ false, 'W', 7 * DAY_S }, { false, 'D', DAY_S }, { true, 'H', HOUR_S },
		{ true, 'M', MINUTE_S }, { true, 'S', 1 } };
	bool of_day = false;
	size_t unit = 0;
	long sum_s = 0;

	if (*text++ != 'P')
		return 0;
	while (*text != '\0') {
		size_t len;

		if (*text == 'T' && !of_day) {
			of_day = true;
			text++;
		}
		len = strspn(text, "0123456789");
		while (unit < ARRAY_LEN(units) &&
			(units[unit].of_day != of_day || units[unit].letter != text[len]))
			unit++;
		if (len == 0 || len > NUMBER_MAX_LEN || unit == ARRAY_LEN(units))
			return 0;
		sum_s += strtol(text, NULL, 10) * units[unit++].s;
		text += len + 1;
	}
	return sum_s;
}

/* False: the reply is made. */
static bool read_end(struct eduvpn *edu, int64_t *expires_at)
{
	const char *text = form_find(&edu->form, "expires_in");
	long life_s;

	if (text == NULL)
		return true;
	life_s = read_duration(text);
	if (life_s <= 0 || life_s > EXPIRES_MAX_S)
		return eduvpn_refuse_value(edu, "expires_in");
	*expires_at = clock_unix_ms() / 1000 + life_s;
	return true;
}

/* False: the reply is made. */
static bool read_user(struct eduvpn *edu, Auth__NamedUserRequest *named)
{
	named->name = (char *)(uintptr_t)form_find(&edu->form, "user_id");
	if (named->name == NULL)
		eduvpn_error(edu, HTTP_BAD_REQUEST, "missing post parameter \"user_id\"");
	return named->name != NULL;
}

static err_t ask_auth(struct eduvpn *edu, const char *method, const Auth__NamedUserRequest *named,
	const void **reply)
{
	return bus_call(edu->request->call, &auth__auth__descriptor, method, &named->base,
		(const ProtobufCMessage **)reply);
}

static err_t translate(struct eduvpn *edu, err_t err)
{
	if (err == ERR_INVALID_ARGUMENT)
		(void)eduvpn_refuse_value(edu, "user_id");
	else if (err == ERR_PERMISSION_DENIED)
		eduvpn_error(edu, HTTP_FORBIDDEN, "%s", edu->request->call->fault.detail);
	else
		return err;
	return OK;
}

/* Who was made for a configuration that is not to be had is nobody again. */
static err_t undo(struct eduvpn *edu, const Auth__NamedUserRequest *named)
{
	const void *nothing;

	edu->request->call->idempotency_key = call_step_key(edu->request->call, "undo");
	return ask_auth(edu, "RemoveUser", named, &nothing);
}

static err_t create(struct eduvpn *edu)
{
	Auth__NamedUserRequest named = AUTH__NAMED_USER_REQUEST__INIT;
	const Auth__NamedUser *user;
	char id[UUID_SIZE];
	err_t err;

	if (!read_user(edu, &named) || !read_end(edu, &edu->app.expires_at))
		return OK;
	if ((err = ask_auth(edu, "EnsureUser", &named, (const void **)&user)) != OK)
		return translate(edu, err);
	uuid_new(id); /* nothing of what the user has is in its place */
	edu->app.user = user->id;
	edu->app.authorization = id;
	edu->app.managed = (char *)(uintptr_t)form_find(&edu->form, "display_name");
	if (edu->app.managed == NULL || *edu->app.managed == '\0')
		edu->app.managed = LISTED_AS;
	if (edu->app.expires_at == 0)
		edu->app.expires_at = user->until;
	err = eduvpn_connect(edu);
	if (user->made && (err != OK || edu->request->reply->status != HTTP_OK) &&
		undo(edu, &named) != OK)
		log_warn("user_left", "tenant=%s user=%s action=\"remove it, or create again\"",
			edu->request->call->tenant, user->id);
	return err;
}

/* ---- destroy ---- */

static err_t destroy(struct eduvpn *edu)
{
	Auth__NamedUserRequest named = AUTH__NAMED_USER_REQUEST__INIT;
	const void *nothing;
	err_t err;

	if (!read_user(edu, &named))
		return OK;
	if ((err = ask_auth(edu, "RemoveUser", &named, &nothing)) != OK)
		return translate(edu, err);
	face_reply(edu->request, HTTP_NO_CONTENT, NULL, NULL);
	return OK;
}

const struct eduvpn_operation eduvpn_admin[] = {
	{ "create", "POST", create },
	{ "destroy", "POST", destroy },
	{ NULL, NULL, NULL },
};
