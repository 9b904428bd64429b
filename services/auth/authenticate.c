/*
 * authenticate: whose credential it is. Every kind of wrong has the same answer, and takes as long:
 * a user that isn't there costs a password hash too. Runs in the thread of the call.
 */
#include "lib/check.h"
#include "services/auth/attempt/attempt.h"
#include "services/auth/handlers.h"
#include "services/auth/password.h"
#include "services/auth/request.h"
#include "services/auth/second_factor/second_factor.h"
#include "services/auth/secret.h"
#include "services/auth/store.h"

#include <stdbool.h>
#include <string.h>

#define TENANT_NAME_MAX 63

/* Fills the reply if the credential was right and belongs to someone who may use it. */
static err_t decide(
	struct call *call, const struct db_rows *rows, bool is_right, Auth__Principal *reply)
{
	if (!is_right || !db_bool(rows, 0, "usable"))
		return request_unauthenticated(call);
	db_message(rows, 0, call->arena, &reply->base);
	return OK;
}

static bool is_digest_right(const struct db_rows *rows, const struct secret *secret)
{
	return secret_matches(secret, db_count(rows) > 0 ? db_text(rows, 0, "digest") : "");
}

static err_t by_api_key(struct call *call, const char *text, Auth__Principal *reply)
{
	AUTO_ROWS rows = NULL;
	struct secret secret;
	err_t err;

	if (!secret_read(KEYRING_API_KEY, text, NULL, &secret))
		return request_unauthenticated(call);
	if ((err = store_credential_api_key(call, secret.tenant, secret.id, &rows)) != OK ||
		(err = decide(call, rows, is_digest_right(rows, &secret), reply)) != OK)
		return err;
	return store_api_key_used(call, secret.tenant, secret.id);
}

static err_t by_device(
	struct call *call, const char *device, const char *text, Auth__Principal *reply)
{
	AUTO_ROWS rows = NULL;
	struct secret secret;
	err_t err;

	if (check_uuid(call, "device", device) != OK ||
		!secret_read(KEYRING_DEVICE_SECRET, text, device, &secret))
		return request_unauthenticated(call);
	if ((err = store_credential_device(call, device, &rows)) != OK)
		return err;
	return decide(call, rows, is_digest_right(rows, &secret), reply);
}

static err_t refuse(Auth__Principal *reply, const char *field, const char *error)
{
	reply->error_field = (char *)(uintptr_t)field;
	reply->error = (char *)(uintptr_t)error;
	return OK;
}

/* After a right password: the code, if one is needed. */
static err_t check_code(
	struct call *call, const struct db_rows *rows, const char *code, Auth__Principal *reply)
{
	const char *needs = db_text(rows, 0, "needs"), *error;
	err_t err;

	if (*needs == '\0')
		return OK;
	if (strcmp(needs, "enrolment") == 0)
		return refuse(reply, "code", "enrol a second factor at the pages of a site first");
	if (*code == '\0')
		return refuse(reply, "code", "expected the code of the second factor");
	err = second_factor_try(call, db_text(rows, 0, "id"), code, &error);
	return err == OK && error != NULL ? refuse(reply, "code", error) : err;
}

static err_t enter(struct call *call, const struct attempt *attempt, const struct db_rows *rows,
	const char *code, Auth__Principal *reply)
{
	err_t err = check_code(call, rows, code, reply);

	if (err != OK || *reply->error)
		return err;
	if ((err = attempt_remember_address(call, attempt)) != OK)
		return err;
	db_message(rows, 0, call->arena, &reply->base);
	return OK;
}

/* In a transaction of the fleet, with the tenant of the row as the call's. */
static err_t try_password(struct call *call, const Auth__Credential *credential,
	const struct db_rows *rows, Auth__Principal *reply)
{
	struct attempt attempt = {
		.user = credential->user,
		.id = *db_text(rows, 0, "id") ? db_text(rows, 0, "id") : ATTEMPT_NOBODY,
		.hash = db_text(rows, 0, "password"),
		.password = credential->password,
		.address = credential->address,
		.browser = "",
	};
	struct verdict verdict;
	err_t err = attempt_password(call, &attempt, &verdict);

	if (err != OK)
		return err;
	if (verdict.right && db_bool(rows, 0, "usable"))
		return enter(call, &attempt, rows, credential->code, reply);
	reply->retry_after_s = verdict.retry_after_s;
	return refuse(reply, "",
		verdict.retry_after_s > 0 ? "there were too many wrong passwords"
					  : REQUEST_UNAUTHENTICATED);
}

static err_t by_password(
	struct call *call, const Auth__Credential *credential, Auth__Principal *reply)
{
	const char *fleet = call->tenant;
	AUTO_ROWS rows = NULL;
	bool is_right;
	err_t err;

	if (check_text(call, "tenant_name", credential->tenant_name, 1, TENANT_NAME_MAX) != OK ||
		check_text(call, "user", credential->user, 1, REQUEST_NAME_MAX) != OK)
		return request_unauthenticated(call);
	if ((err = store_credential_user(call, credential->tenant_name, credential->user, &rows)) !=
		OK)
		return err;
	if (db_count(rows) == 0) {
		err = password_verify(call, NULL, credential->password, &is_right);
		return err == OK ? request_unauthenticated(call) : err;
	}
	call->tenant = db_text(rows, 0, "tenant");
	err = try_password(call, credential, rows, reply);
	call->tenant = fleet;
	return err;
}

err_t authenticate(struct call *call, const Auth__Credential *request, Auth__Principal *reply)
{
	bool api_key = *request->api_key;
	bool device = *request->device || *request->device_secret;
	bool user = *request->tenant_name || *request->user || *request->password;

	if (api_key && !device && !user)
		return by_api_key(call, request->api_key, reply);
	if (device && !api_key && !user)
		return by_device(call, request->device, request->device_secret, reply);
	if (user && !api_key && !device)
		return by_password(call, request, reply);
	return request_unauthenticated(call);
}
