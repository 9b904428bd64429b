/*
 * api2: what apps of 2017 to 2022 ask for. Nearly every answer is 200 with an envelope of the
 * operation's name, also that something was refused. In workers.
 */
#include "gateway/compat/eduvpn/eduvpn.h"

#include "lib/json.h"
#include "proto/gateway.pb-c.h"
#include "proto/second_factor.pb-c.h"

#include <string.h>

#define PROFILE_TYPE "application/x-openvpn-profile"

/* ---- the envelope ---- */

/* `data` is JSON; NULL: none. */
static err_t send(struct eduvpn *edu, const char *data)
{
	face_reply(edu->request, HTTP_OK, "application/json",
		arena_printf(edu->request->call->arena, "{\"%s\":{\"ok\":true%s%s}}", edu->name,
			data != NULL ? ",\"data\":" : "", data != NULL ? data : ""));
	return OK;
}

static err_t refuse(struct eduvpn *edu, const char *error)
{
	struct arena *arena = edu->request->call->arena;

	face_reply(edu->request, HTTP_OK, "application/json",
		arena_printf(arena, "{\"%s\":{\"ok\":false,\"error\":%s}}", edu->name,
			json_text(arena, error)));
	return OK;
}

/* A refusal of provision in the words that apps know; what has none goes on. */
static err_t translate(struct eduvpn *edu, err_t err)
{
	const char *field = edu->request->call->fault.field;

	if (err == ERR_NOT_FOUND && strcmp(field, "profile_id") == 0)
		return refuse(edu, "profile not available or no permission");
	if (err == ERR_INVALID_ARGUMENT && *field != '\0')
		return refuse(
			edu, arena_printf(edu->request->call->arena, "invalid \"%s\"", field));
	return err;
}

/* The parameter has to be there, whatever it is; false: the reply is made. */
static bool need(struct eduvpn *edu, const char *name, char **value)
{
	*value = (char *)(uintptr_t)form_find(&edu->form, name);
	if (*value == NULL)
		eduvpn_error(edu, HTTP_BAD_REQUEST, "missing required field \"%s\"", name);
	return *value != NULL;
}

/* ---- profiles ---- */

static const char *profile_json(struct arena *arena, const Provision__Profile *profile)
{
	return arena_printf(arena,
		"{\"profile_id\":%s,\"display_name\":%s,\"two_factor\":%s,"
		"\"default_gateway\":%s}",
		json_text(arena, profile->profile_id),
		eduvpn_words(arena, profile->display_name, profile->n_translations,
			profile->translations),
		profile->two_factor ? "true" : "false",
		profile->default_gateway ? "true" : "false");
}

static err_t profile_list(struct eduvpn *edu)
{
	struct arena *arena = edu->request->call->arena;
	const Provision__ProfileList *list;
	const char *json = "[";
	err_t err = eduvpn_ask(edu, "ListAppProfiles", &edu->app.base, (const void **)&list);

	if (err != OK)
		return err;
	for (size_t i = 0; i < list->n_items; i++)
		if (eduvpn_offers(list->items[i], "openvpn"))
			json = arena_printf(arena, "%s%s%s", json, json[1] != '\0' ? "," : "",
				profile_json(arena, list->items[i]));
	return send(edu, arena_printf(arena, "%s]", json));
}

/* Lines end as in files of Windows. */
static const char *with_crlf(struct arena *arena, const char *text)
{
	char *copy = arena_alloc(arena, 2 * strlen(text) + 1), *end = copy;

	for (; *text != '\0'; text++) {
		if (*text == '\n')
			*end++ = '\r';
		*end++ = *text;
	}
	return copy;
}

static err_t send_config(struct eduvpn *edu, Provision__AppConfigRequest *request)
{
	const Provision__AppConfig *config;
	err_t err;

	request->app = &edu->app;
	err = eduvpn_ask(edu, "GetAppConfig", &request->base, (const void **)&config);
	if (err != OK)
		return translate(edu, err);
	face_reply(edu->request, HTTP_OK, PROFILE_TYPE,
		with_crlf(edu->request->call->arena, config->config));
	return OK;
}

static err_t profile_config(struct eduvpn *edu)
{
	static const char *const words[] = { "first", "random", "all" };
	Provision__AppConfigRequest request = PROVISION__APP_CONFIG_REQUEST__INIT;
	const char *strategy = form_find(&edu->form, "remote_strategy");

	if (!need(edu, "profile_id", &request.profile_id))
		return OK;
	if (strategy == NULL)
		strategy = "1";
	if (*strategy < '0' || *strategy > '2' || strategy[1] != '\0')
		return refuse(edu, "invalid \"remote_strategy\"");
	request.remotes = (char *)(uintptr_t)words[*strategy - '0'];
	return send_config(edu, &request);
}

static err_t create_config(struct eduvpn *edu)
{
	Provision__AppConfigRequest request = PROVISION__APP_CONFIG_REQUEST__INIT;

	if (!need(edu, "display_name", &request.display_name) ||
		!need(edu, "profile_id", &request.profile_id))
		return OK;
	request.remotes = "random";
	request.keypair = true;
	return send_config(edu, &request);
}

/* ---- keypairs ---- */

static err_t create_keypair(struct eduvpn *edu)
{
	Provision__KeypairRequest request = PROVISION__KEYPAIR_REQUEST__INIT;
	struct arena *arena = edu->request->call->arena;
	const Provision__Keypair *keypair;
	const char *key = "";
	err_t err;

	if (!need(edu, "display_name", &request.display_name))
		return OK;
	request.app = &edu->app;
	request.csr = (char *)(uintptr_t)eduvpn_csr(edu);
	err = eduvpn_ask(edu, "CreateKeypair", &request.base, (const void **)&keypair);
	if (err != OK)
		return translate(edu, err);
	if (*keypair->private_key != '\0')
		key = arena_printf(
			arena, ",\"private_key\":%s", json_text(arena, keypair->private_key));
	return send(edu, arena_printf(arena, "{\"certificate\":%s%s}",
				 json_text(arena, keypair->certificate), key));
}

static err_t check_certificate(struct eduvpn *edu)
{
	Provision__CheckKeypairRequest request = PROVISION__CHECK_KEYPAIR_REQUEST__INIT;
	struct arena *arena = edu->request->call->arena;
	const Provision__KeypairCheck *check;
	err_t err;

	if (!need(edu, "common_name", &request.common_name))
		return OK;
	request.app = &edu->app;
	err = eduvpn_ask(edu, "CheckKeypair", &request.base, (const void **)&check);
	if (err == ERR_INVALID_ARGUMENT) {
		eduvpn_error(edu, HTTP_BAD_REQUEST, "invalid \"common_name\"");
		return OK;
	}
	if (err != OK)
		return err;
	return send(edu, check->is_valid ? "{\"is_valid\":true}"
					 : arena_printf(arena, "{\"is_valid\":false,\"reason\":%s}",
						   json_text(arena, check->reason)));
}

/* ---- people ---- */

static err_t ask_factor(
	struct eduvpn *edu, const char *method, const ProtobufCMessage *message, const void **reply)
{
	return bus_call(edu->request->call, &auth__second_factors__descriptor, method, message,
		(const ProtobufCMessage **)reply);
}

static err_t user_info(struct eduvpn *edu)
{
	static char *supported[] = { "totp" };
	Gateway__AppUser user = GATEWAY__APP_USER__INIT;
	const Auth__SecondFactor *factor;
	Auth__Ref ref = AUTH__REF__INIT;
	err_t err;

	ref.id = edu->app.user;
	err = ask_factor(edu, "GetSecondFactor", &ref.base, (const void **)&factor);
	if (err != OK)
		return err;
	user.user_id = edu->token->username;
	user.two_factor_enrolled = factor->n_methods > 0;
	user.two_factor_enrolled_with = factor->methods;
	user.n_two_factor_enrolled_with = factor->n_methods;
	user.two_factor_supported_methods = supported;
	user.n_two_factor_supported_methods = ARRAY_LEN(supported);
	user.is_disabled = !edu->token->active;
	return send(edu, json_write(edu->request->call->arena, &user.base, NULL));
}

static err_t two_factor_enroll_totp(struct eduvpn *edu)
{
	Auth__EnrolTotpRequest request = AUTH__ENROL_TOTP_REQUEST__INIT;
	const Auth__EnrolTotpReply *reply;
	err_t err;

	if (!need(edu, "totp_secret", &request.secret) || !need(edu, "totp_key", &request.code))
		return OK;
	request.user = edu->app.user;
	err = ask_factor(edu, "EnrolTotp", &request.base, (const void **)&reply);
	if (err != OK)
		return err;
	return *reply->error != '\0' ? refuse(edu, reply->error) : send(edu, NULL);
}

static err_t send_notices(struct eduvpn *edu, const char *method)
{
	const Provision__NoticeList *list;
	err_t err = eduvpn_ask(edu, method, &edu->app.base, (const void **)&list);

	return err == OK ? send(edu, eduvpn_notices(edu->request->call->arena, list)) : err;
}

static err_t user_messages(struct eduvpn *edu)
{
	return send_notices(edu, "ListUserNotices");
}

static err_t system_messages(struct eduvpn *edu)
{
	return send_notices(edu, "ListSystemNotices");
}

const struct eduvpn_operation eduvpn_api2[] = {
	{ "profile_list", "GET", profile_list },
	{ "profile_config", "GET", profile_config },
	{ "create_config", "POST", create_config },
	{ "create_keypair", "POST", create_keypair },
	{ "check_certificate", "GET", check_certificate },
	{ "user_info", "GET", user_info },
	{ "two_factor_enroll_totp", "POST", two_factor_enroll_totp },
	{ "user_messages", "GET", user_messages },
	{ "system_messages", "GET", system_messages },
	{ NULL, NULL, NULL },
};
