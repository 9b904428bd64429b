/* app_certificate: see app_certificate.h. */
#include "services/provision/profile/app_certificate.h"

#include "lib/clock.h"
#include "services/provision/auth.h"
#include "services/provision/certificates.h"
#include "services/provision/profile/store_profile.h"

#include <string.h>

#define SIGNING_S                                                                                  \
	10 /* the certificate never outlives the authorization, however long signing takes */
#define LEFT_MIN (60 + SIGNING_S)

err_t app_certificate_issue(struct call *call, const struct app_certificate *wanted,
	Provision__Certificate *certificate, int64_t *expires_at)
{
	Provision__IssueCertificateRequest request = PROVISION__ISSUE_CERTIFICATE_REQUEST__INIT;
	int64_t now_s = clock_unix_ms() / 1000, end_s = wanted->app->expires_at;
	struct store_app_certificate row = {
		.user = wanted->app->user,
		.authorization = wanted->app->authorization,
		.client_id = wanted->app->client_id,
		.profile_id = wanted->profile_id,
	};
	err_t err;

	if (wanted->lifetime_s != 0 && now_s + wanted->lifetime_s < end_s)
		end_s = now_s + wanted->lifetime_s;
	if (end_s < now_s + LEFT_MIN)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "",
			"the authorization is about to end: let the app in again");
	request.kind = "user";
	request.subject = wanted->app->user;
	request.csr = (char *)(uintptr_t)wanted->csr;
	request.label = (char *)(uintptr_t)wanted->label;
	request.lifetime_s = (uint32_t)(end_s - now_s - SIGNING_S);
	if ((err = issue_certificate(call, &request, certificate)) != OK)
		return err;
	*expires_at = end_s;
	row.certificate = certificate->id;
	return store_app_certificate_add(call, &row);
}

/* ---- what auth tells ---- */

/* The tokens of a user end for several reasons: what the user is now decides. */
static err_t follow_user(struct call *call, const char *id)
{
	const Auth__User *person;
	err_t err = auth_get_user(call, id, &person);

	if (err == ERR_NOT_FOUND)
		return store_app_end_user(call, id, "the user was deleted");
	if (err != OK || strcmp(person->state, "blocked") != 0)
		return err;
	return store_notice_tell(
		call, id, "Your account has been disabled. Please contact support.");
}

err_t app_certificate_revoked(struct call *call, const Event__Revoked *event)
{
	static const char authorization[] = "authorization:", user[] = "user:";
	const char *subject = event->subject;

	if (strncmp(subject, authorization, strlen(authorization)) == 0)
		return store_app_end_authorization(call, subject + strlen(authorization), false,
			"the authorization of the app has ended");
	if (strncmp(subject, user, strlen(user)) == 0)
		return follow_user(call, subject + strlen(user));
	return OK;
}

err_t app_certificate_forget(struct call *call)
{
	err_t err = store_app_forget(call);

	return err == OK ? store_notice_forget(call) : err;
}
