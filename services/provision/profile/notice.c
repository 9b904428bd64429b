/* notice: the rpcs of what people are told: by operators, and of what happens to them. */
#include "services/provision/profile/profiles.h"

#include "lib/check.h"
#include "services/provision/auth.h"
#include "services/provision/profile/store_profile.h"
#include "services/provision/profile/words.h"
#include "services/provision/request.h"

#include <string.h>
#include <time.h>

#define MESSAGE_MAX 2000

/* ---- checks ---- */

static err_t check_time(struct call *call, const char *field, const char *text)
{
	struct tm time = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &time);

	if (end != NULL && *end == '\0' && strlen(text) == strlen("2026-03-01T12:00:00Z"))
		return OK;
	return call_refuse(
		call, ERR_INVALID_ARGUMENT, field, "expected a time like 2026-03-01T12:00:00Z");
}

static err_t check_times(struct call *call, const Provision__CreateNoticeRequest *request)
{
	err_t err;

	if (strcmp(request->kind, "maintenance") != 0) {
		if (*request->begins_at == '\0' && *request->ends_at == '\0')
			return OK;
		return call_refuse(call, ERR_INVALID_ARGUMENT,
			*request->begins_at != '\0' ? "begins_at" : "ends_at",
			"only maintenance begins and ends");
	}
	if ((err = check_time(call, "begins_at", request->begins_at)) != OK ||
		(err = check_time(call, "ends_at", request->ends_at)) != OK)
		return err;
	/* Texts of one form have the order of their times. */
	if (strcmp(request->begins_at, request->ends_at) < 0)
		return OK;
	return call_refuse(call, ERR_INVALID_ARGUMENT, "ends_at", "expected a later time");
}

static err_t check_user(struct call *call, const char *user)
{
	const Auth__User *person;
	err_t err;

	if (*user == '\0')
		return OK;
	if ((err = check_uuid(call, "user", user)) != OK)
		return err;
	err = auth_get_user(call, user, &person);
	return err == ERR_NOT_FOUND ? call_refuse(call, err, "user", "there is no user %s", user)
				    : err;
}

/* ---- operators ---- */

err_t create_notice(
	struct call *call, const Provision__CreateNoticeRequest *request, Provision__Notice *reply)
{
	static const char *const kinds[] = { "notification", "motd", "maintenance", NULL };
	err_t err;

	if ((err = check_word(call, "kind", request->kind, kinds)) != OK ||
		(err = check_text(call, "message", request->message, 1, MESSAGE_MAX)) != OK ||
		(err = words_check_translations(call, request->n_translations,
			 request->translations, MESSAGE_MAX)) != OK ||
		(err = check_times(call, request)) != OK ||
		(err = check_user(call, request->user)) != OK)
		return err;
	return store_notice_create(call, request, reply);
}

err_t get_notice(struct call *call, const Provision__Ref *request, Provision__Notice *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err == OK ? store_notice_get(call, request->id, reply) : err;
}

err_t list_notices(struct call *call, const Provision__ListNoticesRequest *request,
	Provision__NoticeList *reply)
{
	err_t err;

	if ((*request->cursor != '\0' &&
		    (err = check_uuid(call, "cursor", request->cursor)) != OK) ||
		(*request->user != '\0' && (err = check_uuid(call, "user", request->user)) != OK))
		return err;
	return store_notice_list(call, request, reply);
}

err_t delete_notice(struct call *call, const Provision__Ref *request, Provision__Empty *reply)
{
	Provision__Notice notice = PROVISION__NOTICE__INIT;
	err_t err;

	(void)reply;
	if ((err = get_notice(call, request, &notice)) != OK ||
		(err = request_check_version(call, request->version, notice.version)) != OK)
		return err;
	return store_notice_delete(call, request->id);
}

/* ---- apps ---- */

err_t list_user_notices(
	struct call *call, const Provision__App *request, Provision__NoticeList *reply)
{
	return store_notice_current(call, request->user, reply);
}

err_t list_system_notices(
	struct call *call, const Provision__App *request, Provision__NoticeList *reply)
{
	(void)request;
	return store_notice_current(call, NULL, reply);
}
