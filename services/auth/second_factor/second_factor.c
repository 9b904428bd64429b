/* second_factor: see second_factor.h. */
#include "services/auth/second_factor/second_factor.h"

#include "lib/check.h"
#include "lib/clock.h"
#include "lib/keyring.h"
#include "lib/metrics.h"
#include "services/auth/authority.h"
#include "services/auth/oauth/oauth_store.h"
#include "services/auth/oauth/sign_in.h"
#include "services/auth/request.h"
#include "services/auth/second_factor/recovery_code.h"
#include "services/auth/second_factor/second_factor_store.h"
#include "services/auth/second_factor/totp.h"
#include "services/auth/store.h"

#include <string.h>

#define TYPED_MAX 32

static const char invalid[] = "invalid OTP code", replay[] = "replay of OTP code",
		  too_many[] = "too many attempts", not_enrolled[] = "user not enrolled";

#define CODES(result)                                                                              \
	{                                                                                          \
		.name = "lanyard_auth_codes_total",                                                \
		.help = "codes of second factors that people showed",                              \
		.labels = "result=\"" result "\"", .type = METRIC_COUNTER                          \
	}

static struct metric accepted = CODES("accepted"), refused = CODES("refused");

void second_factor_open(void)
{
	metric_register(&accepted);
	metric_register(&refused);
}

/* What a user has. */
struct factor {
	const char *user;
	const char *secret; /* NULL: not enrolled */
	long long last_step;
};

/* Nobody else tries a code of this user until the transaction ends. */
static err_t lock(struct call *call, const char *user, struct factor *factor)
{
	AUTO_ROWS rows = NULL;
	err_t err;

	*factor = (struct factor){ .user = user };
	if ((err = check_uuid(call, "user", user)) != OK ||
		(err = store_totp_lock(call, user, &rows)) != OK)
		return err;
	if (db_count(rows) == 0)
		return call_refuse(call, ERR_NOT_FOUND, "user", "no user %s here", user);
	factor->last_step = db_int(rows, 0, "last_step");
	if (*db_text(rows, 0, "sealed") == '\0')
		return OK;
	if (keyring_unseal(
		    call->arena, KEYRING_TOTP, db_text(rows, 0, "sealed"), &factor->secret) != OK)
		return call_refuse(call, ERR_DATA_LOSS, NULL,
			"the second factor of user %s was sealed under another key", user);
	return OK;
}

/* ---- tries ---- */

/* Counts a try; `error` stays NULL if the code may be looked at. */
static err_t count(struct call *call, const char *user, const char *code, const char **error)
{
	const char *text = arena_printf(call->arena, "try %s %s", user, code);
	char digest[KEYRING_DIGEST_HEX];
	AUTO_ROWS rows = NULL;
	err_t err;

	keyring_digest(KEYRING_TYPED_CODE, (const unsigned char *)text, strlen(text), digest);
	if ((err = store_code_attempt(call, user, digest, &rows)) != OK)
		return err;
	if (db_bool(rows, 0, "again"))
		*error = replay;
	else if (db_bool(rows, 0, "too_many"))
		*error = too_many;
	return OK;
}

/* Looks at six digits for a secret; `step` is that of a right code. */
static err_t try_digits(struct call *call, const struct factor *factor, const char *code,
	long long *step, const char **error)
{
	err_t err;

	if (!totp_is_code(code)) {
		*error = invalid;
		return OK;
	}
	if ((err = count(call, factor->user, code, error)) != OK || *error != NULL)
		return err;
	if (!totp_match(factor->secret, clock_unix_ms() / 1000, code, step))
		*error = invalid;
	else if (*step <= factor->last_step)
		*error = replay;
	return OK;
}

static err_t try_totp(
	struct call *call, const struct factor *factor, const char *code, const char **error)
{
	long long step = 0;
	err_t err = try_digits(call, factor, code, &step, error);

	return err != OK || *error != NULL ? err : store_totp_step(call, factor->user, step);
}

static err_t try_recovery(
	struct call *call, const struct factor *factor, const char *code, const char **error)
{
	bool right;
	err_t err = count(call, factor->user, code, error);

	if (err != OK || *error != NULL ||
		(err = recovery_code_use(call, factor->user, code, &right)) != OK)
		return err;
	*error = right ? NULL : invalid;
	return OK;
}

/* Apps show their code as two groups of three digits, and so people type it. */
static const char *without_blanks(struct call *call, const char *typed)
{
	char *text = arena_strndup(call->arena, typed, strnlen(typed, TYPED_MAX)), *end = text;

	for (const char *at = text; *at != '\0'; at++)
		if (*at != ' ')
			*end++ = *at;
	*end = '\0';
	return text;
}

static void note(const char *error)
{
	metric_add(error == NULL ? &accepted : &refused, 1);
}

static err_t try_any(
	struct call *call, const struct factor *factor, const char *typed, const char **error)
{
	const char *code = recovery_code_read(call, typed);

	*error = NULL;
	if (factor->secret == NULL) {
		*error = not_enrolled;
		return OK;
	}
	return *code ? try_recovery(call, factor, code, error)
		     : try_totp(call, factor, without_blanks(call, typed), error);
}

err_t second_factor_try(struct call *call, const char *user, const char *typed, const char **error)
{
	struct factor factor;
	err_t err = lock(call, user, &factor);

	if (err != OK || (err = try_any(call, &factor, typed, error)) != OK)
		return err;
	note(*error);
	return OK;
}

err_t second_factor_purge(struct call *call)
{
	return store_code_attempt_purge(call);
}

/* ---- enrolment ---- */

/* Who enrols in a browser has just shown a code there. */
static err_t confirm_browser(struct call *call, const char *user, const char *secret)
{
	Auth__SignIn person = AUTH__SIGN_IN__INIT;
	err_t err = sign_in_find(call, secret, &person);

	if (err != OK || strcmp(person.user_id, user) != 0)
		return err != OK ? err : request_unauthenticated(call);
	return store_sign_in_confirm(call, person.id);
}

static err_t enrol(struct call *call, struct factor *factor, const Auth__EnrolTotpRequest *request,
	Auth__EnrolTotpReply *reply)
{
	const char *error = NULL;
	long long step = 0;
	err_t err;

	factor->secret = request->secret;
	if ((err = try_digits(call, factor, request->code, &step, &error)) != OK)
		return err;
	if (error != NULL) {
		reply->error = arena_printf(call->arena, "TOTP registration failed: %s", error);
		return OK;
	}
	err = store_totp_create(
		call, factor->user, keyring_seal(call->arena, KEYRING_TOTP, request->secret), step);
	if (err == OK && *request->sign_in)
		err = confirm_browser(call, factor->user, request->sign_in);
	if (err != OK || !request->recovery_codes)
		return err;
	return recovery_code_renew(
		call, factor->user, &reply->n_recovery_codes, &reply->recovery_codes);
}

err_t enrol_totp(
	struct call *call, const Auth__EnrolTotpRequest *request, Auth__EnrolTotpReply *reply)
{
	struct factor factor;
	err_t err = lock(call, request->user, &factor);

	if (err != OK)
		return err;
	if (factor.secret != NULL)
		reply->error = "user already enrolled";
	else if (!totp_is_code(request->code))
		reply->error = "invalid \"totp_key\"";
	else if (!totp_is_secret(request->secret))
		reply->error = "invalid \"totp_secret\"";
	else
		return enrol(call, &factor, request, reply);
	return OK;
}

/* ---- the other methods ---- */

err_t get_second_factor(struct call *call, const Auth__Ref *request, Auth__SecondFactor *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err == OK ? store_second_factor_get(call, request->id, reply) : err;
}

err_t check_totp(
	struct call *call, const Auth__CheckTotpRequest *request, Auth__CheckTotpReply *reply)
{
	const char *error = NULL;
	struct factor factor;
	err_t err = lock(call, request->user, &factor);

	if (err != OK)
		return err;
	if (factor.secret == NULL)
		error = not_enrolled;
	else if ((err = try_totp(call, &factor, request->code, &error)) != OK)
		return err;
	note(error);
	reply->error = (char *)(uintptr_t)(error != NULL ? error : "");
	return OK;
}

err_t disable_second_factor(
	struct call *call, const Auth__CheckTotpRequest *request, Auth__CheckTotpReply *reply)
{
	Auth__SignInPolicy policy = AUTH__SIGN_IN_POLICY__INIT;
	const char *error;
	err_t err = store_sign_in_policy_get(call, &policy);

	if (err != OK)
		return err;
	if (strcmp(policy.second_factor, "required") == 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, NULL,
			"the organisation wants a second factor of everybody");
	if ((err = second_factor_try(call, request->user, request->code, &error)) != OK)
		return err;
	if (error == NULL)
		return store_second_factor_delete(call, request->user);
	reply->error = (char *)(uintptr_t)error;
	return OK;
}

err_t renew_recovery_codes(
	struct call *call, const Auth__CheckTotpRequest *request, Auth__RecoveryCodes *reply)
{
	const char *error;
	err_t err = second_factor_try(call, request->user, request->code, &error);

	if (err != OK)
		return err;
	if (error == NULL)
		return recovery_code_renew(call, request->user, &reply->n_codes, &reply->codes);
	reply->error = (char *)(uintptr_t)error;
	return OK;
}

err_t reset_second_factor(struct call *call, const Auth__Ref *request, Auth__Empty *reply)
{
	Auth__User user = AUTH__USER__INIT;
	err_t err;

	(void)reply;
	if ((err = check_uuid(call, "id", request->id)) != OK ||
		(err = store_user_get(call, request->id, &user)) != OK ||
		(err = authority_over_role(call, user.role)) != OK)
		return err;
	return store_second_factor_delete(call, request->id);
}
