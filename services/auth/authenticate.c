/*
 * authenticate: whose credential it is. Every kind of wrong has the same answer, and takes as long:
 * a user that isn't there costs a password hash too. Runs in the thread of the call.
 */
#include "lib/check.h"
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

/* After a right password. `error` stays NULL if nothing is missing. */
static err_t check_code(
	struct call *call, const struct db_rows *rows, const char *code, const char **error)
{
	const char *needs = db_text(rows, 0, "needs"), *fleet = call->tenant;
	err_t err;

	*error = NULL;
	if (strcmp(needs, "enrolment") == 0)
		*error = "enrol a second factor at the pages of a site first";
	else if (*needs && *code == '\0')
		*error = "expected the code of the second factor";
	if (*needs == '\0' || *error != NULL)
		return OK;
	call->tenant = db_text(rows, 0, "tenant");
	err = second_factor_try(call, db_text(rows, 0, "id"), code, error);
	call->tenant = fleet;
	return err;
}

static err_t by_password(
	struct call *call, const Auth__Credential *credential, Auth__Principal *reply)
{
	AUTO_ROWS rows = NULL;
	const char *error = NULL;
	bool is_right;
	err_t err;

	if (check_text(call, "tenant_name", credential->tenant_name, 1, TENANT_NAME_MAX) != OK ||
		check_text(call, "user", credential->user, 1, REQUEST_NAME_MAX) != OK)
		return request_unauthenticated(call);
	if ((err = store_credential_user(call, credential->tenant_name, credential->user, &rows)) !=
			OK ||
		(err = password_verify(call,
			 db_count(rows) > 0 ? db_text(rows, 0, "password") : NULL,
			 credential->password, &is_right)) != OK)
		return err;
	if (is_right && db_bool(rows, 0, "usable") &&
		(err = check_code(call, rows, credential->code, &error)) != OK)
		return err;
	if (error == NULL)
		return decide(call, rows, is_right, reply);
	reply->error = (char *)(uintptr_t)error;
	return OK;
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
