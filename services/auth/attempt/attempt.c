/* attempt: see attempt.h. */
#include "services/auth/attempt/attempt.h"

#include "lib/keyring.h"
#include "lib/metrics.h"
#include "services/auth/attempt/attempt_store.h"
#include "services/auth/password.h"
#include "services/auth/secret.h"
#include "services/auth/store.h"

#include <string.h>

/* Wrong passwords in a window (store_attempt.c): of every count the same, so that it does not tell
 * whether the user is known from somewhere, or at all. */
#define WRONG_MAX 10

#define PASSWORDS(result)                                                                          \
	{                                                                                          \
		.name = "lanyard_auth_passwords_total", .help = "passwords that people showed",    \
		.labels = "result=\"" result "\"", .type = METRIC_COUNTER                          \
	}

static struct metric right = PASSWORDS("right"), wrong = PASSWORDS("wrong"),
		     throttled = PASSWORDS("throttled"), busy = PASSWORDS("busy");

void attempt_open(void)
{
	metric_register(&right);
	metric_register(&wrong);
	metric_register(&throttled);
	metric_register(&busy);
}

/* The id of the browser, if it is one of the user's; "" if not. */
static err_t find_browser(struct call *call, const struct attempt *attempt, const char **id)
{
	AUTO_ROWS rows = NULL;
	struct secret secret;
	err_t err;

	*id = "";
	if (!secret_read(KEYRING_BROWSER, attempt->browser, NULL, &secret) ||
		strcmp(secret.tenant, call->tenant) != 0)
		return OK;
	if ((err = store_browser_find(call, secret.id, attempt->id, &rows)) != OK)
		return err;
	if (db_count(rows) > 0 && secret_matches(&secret, db_text(rows, 0, "digest")))
		*id = arena_strdup(call->arena, secret.id);
	return OK;
}

static void count_of(struct call *call, const char *kind, const char *one, const char *other,
	char count[KEYRING_DIGEST_HEX])
{
	const char *text = arena_printf(call->arena, "%s %s %s", kind, one, other);

	keyring_digest(KEYRING_BROWSER, (const unsigned char *)text, strlen(text), count);
}

/* The key of the count that an attempt goes to. */
static err_t choose_count(
	struct call *call, const struct attempt *attempt, char count[KEYRING_DIGEST_HEX])
{
	const char *browser;
	bool known = false;
	err_t err = find_browser(call, attempt, &browser);

	if (err == OK && *browser == '\0' && *attempt->address)
		err = store_address_known(call, attempt->id, attempt->address, &known);
	if (err != OK)
		return err;
	if (*browser)
		count_of(call, "browser", browser, "", count);
	else if (known)
		count_of(call, "address", attempt->id, attempt->address, count);
	else
		count_of(call, "name", attempt->user, "", count);
	return OK;
}

err_t attempt_password(struct call *call, const struct attempt *attempt, struct verdict *verdict)
{
	long long failures, wait_s;
	char count[KEYRING_DIGEST_HEX];
	err_t err;

	*verdict = (struct verdict){ false, 0 };
	if ((err = choose_count(call, attempt, count)) != OK ||
		(err = store_failures(call, count, &failures, &wait_s)) != OK)
		return err;
	if (failures >= WRONG_MAX) {
		verdict->retry_after_s = wait_s > 0 ? (uint32_t)wait_s : 1;
		metric_add(&throttled, 1);
		return OK;
	}
	err = password_verify(
		call, *attempt->hash ? attempt->hash : NULL, attempt->password, &verdict->right);
	if (err == ERR_RESOURCE_EXHAUSTED)
		metric_add(&busy, 1);
	if (err != OK)
		return err;
	metric_add(verdict->right ? &right : &wrong, 1);
	if (verdict->right)
		return OK;
	return store_failure_add(call, count);
}

static err_t create(struct call *call, const struct attempt *attempt, const char **browser)
{
	struct secret secret;
	const char *id;
	err_t err = store_new_id(call, &id);

	if (err != OK)
		return err;
	*browser = secret_create(call->arena, KEYRING_BROWSER, call->tenant, id, &secret);
	return store_browser_create(call, id, attempt->id, secret.digest, attempt->address);
}

err_t attempt_remember_browser(
	struct call *call, const struct attempt *attempt, const char **browser)
{
	const char *id;
	err_t err = find_browser(call, attempt, &id);

	*browser = NULL;
	if (err != OK)
		return err;
	return *id ? store_browser_seen(call, id, attempt->address)
		   : create(call, attempt, browser);
}

err_t attempt_remember_address(struct call *call, const struct attempt *attempt)
{
	const char *browser; /* nobody's: there is no cookie */
	bool known = false;
	err_t err;

	if (*attempt->address == '\0')
		return OK;
	err = store_address_seen(call, attempt->id, attempt->address, &known);
	return err != OK || known ? err : create(call, attempt, &browser);
}

err_t attempt_purge(struct call *call)
{
	err_t err = store_failure_purge(call);

	return err == OK ? store_browser_purge(call) : err;
}
