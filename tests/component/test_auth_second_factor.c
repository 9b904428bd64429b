/*
 * auth for real as the keeper of second factors: enrolment, codes of an app (made by oathtool),
 * their window, replays and limit, recovery codes (contract app-api, statements 68 to 70).
 */
#include "tests/component/auth_fixture.h"

#include "proto/second_factor.pb-c.h"

#include <pthread.h>

#define SECRET "K4JMMGO7T4ZR7ROZ"
#define OTHER  "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
#define RACERS 20

#define INVALID	 "invalid OTP code"
#define REPLAY	 "replay of OTP code"
#define TOO_MANY "too many attempts"
#define FAILED	 "TOTP registration failed: "

/* ---- calls ---- */

static const void *factor(const char *tenant, const char *method, const void *request)
{
	return ask_of(&auth__second_factors__descriptor, "service:test", tenant, method, request);
}

/* What the person's app shows some steps from now. */
static const char *code_at(const char *secret, int steps)
{
	static char codes[16][8];
	static size_t n;
	char *code = codes[n++ % ARRAY_LEN(codes)];
	char command[128];
	FILE *tool;

	snprintf(command, sizeof(command), "oathtool --totp --base32 %s --now @%lld", secret,
		(long long)clock_unix_ms() / 1000 + steps * 30);
	tool = popen(command, "r");
	cr_assert(tool);
	cr_assert_eq(fscanf(tool, "%6s", code), 1);
	cr_assert_eq(pclose(tool), 0);
	return code;
}

/* Goes on when this step has twenty seconds left: the codes that follow belong to it. */
static void await_fresh_step(void)
{
	while (clock_unix_ms() / 1000 % 30 > 10)
		usleep(100000);
}

static const Auth__EnrolTotpReply *enrol(
	const char *tenant, const char *user, const char *secret, const char *code)
{
	Auth__EnrolTotpRequest request = AUTH__ENROL_TOTP_REQUEST__INIT;

	request.user = TEXT(user);
	request.secret = TEXT(secret);
	request.code = TEXT(code);
	request.recovery_codes = true;
	return factor(tenant, "EnrolTotp", &request);
}

static Auth__CheckTotpRequest typed(const char *user, const char *code)
{
	Auth__CheckTotpRequest request = AUTH__CHECK_TOTP_REQUEST__INIT;

	request.user = TEXT(user);
	request.code = TEXT(code);
	return request;
}

static void says(const char *tenant, const char *user, const char *code, const char *want)
{
	Auth__CheckTotpRequest request = typed(user, code);
	const Auth__CheckTotpReply *reply = factor(tenant, "CheckTotp", &request);

	cr_expect_str_eq(reply->error, want, "%s says '%s', not '%s'", code, reply->error, want);
}

static const Auth__SecondFactor *state_of(const char *tenant, const char *user)
{
	Auth__Ref request = ref(user);

	return factor(tenant, "GetSecondFactor", &request);
}

/* A tenant with the user ann. */
struct world {
	const char *tenant, *ann;
};

static struct world new_world(void)
{
	struct world world = { .tenant = new_tenant("a")->id };

	world.ann = new_user(world.tenant, "ann", "member")->id;
	return world;
}

/* ---- enrolment ---- */

Test(auth, an_app_is_enrolled_with_a_code_of_its_secret)
{
	struct world world = new_world();
	const Auth__EnrolTotpReply *reply;

	cr_assert_eq(state_of(world.tenant, world.ann)->n_methods, 0);
	says(world.tenant, world.ann, "123456", "user not enrolled");
	reply = enrol(world.tenant, world.ann, SECRET, code_at(SECRET, 0));
	cr_assert_str_eq(reply->error, "", "%s", reply->error);
	cr_assert_eq(reply->n_recovery_codes, 10);
	cr_assert_str_eq(state_of(world.tenant, world.ann)->methods[0], "totp");
	cr_assert_eq(state_of(world.tenant, world.ann)->recovery_codes, 10);
}

Test(auth, an_enrolment_is_refused_in_the_words_that_apps_know)
{
	struct world world = new_world();
	const char *wrong = strcmp(code_at(SECRET, 0), "123456") == 0 ? "654321" : "123456";
	const char *right;
	static const struct {
		const char *secret, *code, *want;
	} rows[] = {
		{ "abc", "12345", "invalid \"totp_key\"" },
		{ SECRET, "12345", "invalid \"totp_key\"" },
		{ "abc", "123456", "invalid \"totp_secret\"" },
		{ "K4JMMGO7T4ZR7RO1", "123456", "invalid \"totp_secret\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_str_eq(
			enrol(world.tenant, world.ann, rows[i].secret, rows[i].code)->error,
			rows[i].want);
	cr_expect_str_eq(enrol(world.tenant, world.ann, SECRET, wrong)->error, FAILED INVALID);
	cr_expect_str_eq(enrol(world.tenant, world.ann, SECRET, wrong)->error, FAILED REPLAY);
	right = code_at(SECRET, 0);
	cr_expect_str_eq(enrol(world.tenant, world.ann, SECRET, right)->error, "");
	cr_expect_str_eq(
		enrol(world.tenant, world.ann, SECRET, right)->error, "user already enrolled");
	says(world.tenant, world.ann, right, REPLAY);
}

SQL(count_open_secrets, "SELECT count(*) AS n FROM auth.totp WHERE sealed LIKE '%" SECRET "%'"
			" OR decode(sealed, 'hex') LIKE '%" SECRET "%'::bytea");
SQL(count_secrets, "SELECT count(*) AS n FROM auth.totp");

Test(auth, a_copy_of_the_database_makes_no_codes)
{
	struct world world = new_world();
	const char *other = new_tenant("b")->id;
	Auth__CheckTotpRequest request = typed(world.ann, "123456");

	enrol(world.tenant, world.ann, SECRET, code_at(SECRET, 0));
	cr_assert_eq(fixture_sql(&fixture, &count_secrets), 1);
	cr_assert_eq(fixture_sql(&fixture, &count_open_secrets), 0);
	refuse_of(&auth__second_factors__descriptor, "service:test", other, "CheckTotp", &request,
		ERR_NOT_FOUND, "user");
}

/* ---- codes ---- */

Test(auth, a_code_is_good_a_step_early_and_late_once_and_in_order)
{
	struct world world = new_world();

	await_fresh_step();
	cr_assert_str_eq(enrol(world.tenant, world.ann, SECRET, code_at(SECRET, -1))->error, "");
	says(world.tenant, world.ann, code_at(SECRET, -2), INVALID);
	says(world.tenant, world.ann, code_at(SECRET, 2), INVALID);
	says(world.tenant, world.ann, code_at(SECRET, -1), REPLAY);
	says(world.tenant, world.ann, code_at(SECRET, 0), "");
	says(world.tenant, world.ann, code_at(SECRET, 1), "");
	says(world.tenant, world.ann, code_at(SECRET, 0), REPLAY);
}

SQL(age_attempts, "UPDATE auth.code_attempt SET created_at = created_at - interval '5 minutes'");

Test(auth, a_used_code_is_refused_also_when_its_try_is_forgotten)
{
	struct world world = new_world();

	await_fresh_step();
	enrol(world.tenant, world.ann, SECRET, code_at(SECRET, 0));
	says(world.tenant, world.ann, code_at(SECRET, 1), "");
	fixture_sql(&fixture, &age_attempts);
	says(world.tenant, world.ann, code_at(SECRET, 1), REPLAY);
	says(world.tenant, world.ann, code_at(SECRET, 0), REPLAY);
}

Test(auth, the_61st_try_in_five_minutes_is_refused_also_if_it_is_right)
{
	struct world world = new_world();
	char code[8];

	await_fresh_step();
	enrol(world.tenant, world.ann, SECRET, code_at(SECRET, -1));
	for (int i = 1; i < 60; i++) {
		snprintf(code, sizeof(code), "%06d", i);
		says(world.tenant, world.ann, code, INVALID);
	}
	says(world.tenant, world.ann, code_at(SECRET, 0), TOO_MANY);
	fixture_sql(&fixture, &age_attempts);
	says(world.tenant, world.ann, code_at(SECRET, 1), "");
}

struct racer {
	const char *tenant;
	Auth__CheckTotpRequest request;
	bool won;
};

static void *race(void *arg)
{
	struct racer *racer = arg;
	const ProtobufCMessage *reply;
	struct call call;
	err_t err = fixture_call(&fixture, &call, racer->tenant, &auth__second_factors__descriptor,
		"CheckTotp", &racer->request.base, &reply);

	racer->won = err == OK && *((const Auth__CheckTotpReply *)reply)->error == '\0';
	call_finish(&call);
	return NULL;
}

Test(auth, of_twenty_checks_of_one_code_one_succeeds)
{
	struct world world = new_world();
	struct racer racers[RACERS];
	pthread_t threads[RACERS];
	const char *code;
	int n_won = 0;

	await_fresh_step();
	enrol(world.tenant, world.ann, SECRET, code_at(SECRET, -1));
	code = code_at(SECRET, 0);
	for (size_t i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){ world.tenant, typed(world.ann, code), false };
		pthread_create(&threads[i], NULL, race, &racers[i]);
	}
	for (size_t i = 0; i < RACERS; i++) {
		pthread_join(threads[i], NULL);
		n_won += racers[i].won;
	}
	cr_assert_eq(n_won, 1, "%d", n_won);
}

/* ---- the rest of its life ---- */

static const char *disable(const char *tenant, const char *user, const char *code)
{
	Auth__CheckTotpRequest request = typed(user, code);

	return ((const Auth__CheckTotpReply *)factor(tenant, "DisableSecondFactor", &request))
		->error;
}

Test(auth, a_recovery_code_is_good_once_and_new_ones_end_the_old)
{
	struct world world = new_world();
	char *const *codes =
		enrol(world.tenant, world.ann, SECRET, code_at(SECRET, 0))->recovery_codes;
	Auth__CheckTotpRequest request = typed(world.ann, codes[0]);
	const Auth__RecoveryCodes *renewed = factor(world.tenant, "RenewRecoveryCodes", &request);

	cr_assert_str_eq(renewed->error, "");
	cr_assert_eq(renewed->n_codes, 10);
	cr_assert_str_eq(disable(world.tenant, world.ann, codes[0]), REPLAY);
	cr_assert_str_eq(disable(world.tenant, world.ann, codes[1]), INVALID);
	says(world.tenant, world.ann, renewed->codes[0], INVALID);
	cr_assert_str_eq(disable(world.tenant, world.ann, renewed->codes[0]), "");
	cr_assert_eq(state_of(world.tenant, world.ann)->n_methods, 0);
	cr_assert_eq(state_of(world.tenant, world.ann)->recovery_codes, 0);
}

Test(auth, an_operator_resets_a_second_factor_but_not_that_of_an_owner)
{
	struct world world = new_world();
	const char *owner = new_user(world.tenant, "olga", "owner")->id;
	const char *admin = new_user(world.tenant, "adam", "admin")->id;
	char actor[64];
	Auth__Ref owners = ref(owner), anns = ref(world.ann);

	snprintf(actor, sizeof(actor), "user:%s", admin);
	enrol(world.tenant, owner, OTHER, code_at(OTHER, 0));
	enrol(world.tenant, world.ann, SECRET, code_at(SECRET, 0));
	refuse_of(&auth__second_factors__descriptor, actor, world.tenant, "ResetSecondFactor",
		&owners, ERR_PERMISSION_DENIED, "role");
	factor(world.tenant, "ResetSecondFactor", &anns);
	cr_assert_eq(state_of(world.tenant, owner)->n_methods, 1);
	cr_assert_eq(state_of(world.tenant, world.ann)->n_methods, 0);
}
