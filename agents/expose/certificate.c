/*
 * certificate: see certificate.h. What uacme makes is in STATE/acme/AUTHORITY, one folder for each
 * authority, with the account that all names share; the place of the name has links to it.
 */
#include "agents/expose/certificate.h"

#include "agents/document.h"
#include "agents/child.h"
#include "agents/expose/helper.h"
#include "agents/expose/request.h"
#include "agents/expose/schedule.h"
#include "agents/expose/verdict.h"
#include "agents/state.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/shell.h"
#include "lib/tls_certificate.h"

#include <sodium.h>

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACCOUNT_FILE	"account.json"
#define ACCOUNT_MAX	256
#define VISIBLE_MS	1000	      /* a challenge is seen everywhere so long after it was set */
#define LOOK_MS		(3600 * 1000) /* the clock may be set: the longest sleep */
#define AGAIN_MIN_MS	10000	      /* between two renewals, however short they live */
#define RELOAD_LIMIT_MS 60000
#define ISSUED		0 /* exit statuses of uacme */
#define NOT_DUE		1

struct certificate {
	struct certificate_options options;
	char *folder;	  /* of the authority */
	char *file, *key; /* where uacme keeps them; no key that is in a token */
	struct tls_life life;
	int64_t renew_s; /* Unix time; 0: there is none yet */
	struct loop_timer timer;
	struct helper *helper; /* NULL: nothing is under way */
	bool new_account;      /* the helper makes an account */
	struct loop_timer visible;
	char *api; /* why the portal did not take a challenge of this run; NULL: it did */
	struct child *reload;
	unsigned failures;
	struct verdict verdict; /* of the last failure; reason NULL: there is none */
	int64_t failed_s, retry_s;
};

static int64_t now_s(void)
{
	return clock_unix_ms() / 1000;
}

static void begin(struct certificate *certificate);

/* ---- when ---- */

static void sleep_until(struct certificate *certificate, int64_t unix_s)
{
	int64_t left_ms = (unix_s - now_s()) * 1000;

	if (left_ms < 0)
		left_ms = 0;
	loop_set_timer(certificate->options.loop, &certificate->timer,
		clock_ms() + (left_ms < LOOK_MS ? left_ms : LOOK_MS));
}

static int64_t due_s(const struct certificate *certificate)
{
	return certificate->failures > 0 ? certificate->retry_s : certificate->renew_s;
}

static void on_timer(void *context)
{
	struct certificate *certificate = context;

	if (due_s(certificate) > now_s())
		sleep_until(certificate, due_s(certificate));
	else if (holding_state(certificate->options.holding) == HOLDING_HELD)
		begin(certificate);
	else /* only the holder can answer a challenge: that is not this certificate's failure */
		loop_set_timer(certificate->options.loop, &certificate->timer, clock_ms() + 1000);
}

/* ---- the files ---- */

/* Takes what is there into use. ERR_NOT_FOUND: there is nothing. */
static err_t load(struct certificate *certificate, struct fault *fault)
{
	struct tls_life life;
	err_t err = tls_certificate_life(certificate->file, &life, fault);

	if (err == OK && certificate->options.pkcs11 != NULL)
		place_unlink(certificate->options.place, PLACE_KEY);
	else if (err == OK && access(certificate->key, R_OK) < 0)
		err = fault_set(
			fault, ERR_NOT_FOUND, "", "can't read %.150s: %m", certificate->key);
	if (err == OK)
		err = place_link(
			certificate->options.place, PLACE_CERTIFICATE, certificate->file, fault);
	if (err == OK && certificate->options.pkcs11 == NULL)
		err = place_link(certificate->options.place, PLACE_KEY, certificate->key, fault);
	if (err != OK)
		return err;
	certificate->life = life;
	certificate->renew_s = schedule_renewal_s(life.from_s, life.until_s, randombytes_random());
	return OK;
}

/* uacme keeps each certificate that it ever got. */
static void remove_old(const struct certificate *certificate)
{
	AUTO_FREE char *pattern = xasprintf("%s/%s/*cert-*.pem", certificate->folder,
		holding_name(certificate->options.holding));
	glob_t found = { 0 };

	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			unlink(found.gl_pathv[i]);
	globfree(&found);
}

/* One folder an authority: "acme/HOST-DIGEST" of its URL. */
static char *folder_of(const char *state, const char *acme)
{
	const char *host = strstr(acme, "://");
	unsigned char hash[crypto_hash_sha256_BYTES];
	char hex[9];

	host = host != NULL ? host + strlen("://") : acme;
	crypto_hash_sha256(hash, (const unsigned char *)acme, strlen(acme));
	sodium_bin2hex(hex, sizeof(hex), hash, 4);
	return xasprintf("%s/acme/%.*s-%s", state, (int)strcspn(host, ":/"), host, hex);
}

/* ---- the account ---- */

static bool load_account(const struct certificate *certificate, char url[ACCOUNT_MAX])
{
	AUTO_DOCUMENT object = NULL;

	return state_read_json(certificate->folder, ACCOUNT_FILE, &object, NULL) == OK &&
	       document_text(object, "account", NULL, 1, url, ACCOUNT_MAX);
}

static err_t save_account(
	const struct certificate *certificate, const char *url, struct fault *fault)
{
	AUTO_DOCUMENT object = json_pack("{s:s}", "account", url);

	return state_write_json(certificate->folder, ACCOUNT_FILE, object, fault);
}

static void forget_account(const struct certificate *certificate)
{
	AUTO_FREE char *path = xasprintf("%s/" ACCOUNT_FILE, certificate->folder);

	unlink(path);
}

/* ---- how a run ends ---- */

static void on_reloaded(void *context, int status)
{
	struct certificate *certificate = context;

	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		log_warn("reload_failed", "name=%s status=%d text=\"see what the command said\"",
			holding_name(certificate->options.holding),
			WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	child_destroy(certificate->reload);
	certificate->reload = NULL;
}

/* Tells the user's own server. */
static void reload(struct certificate *certificate)
{
	const struct certificate_options *options = &certificate->options;
	AUTO_FREE char *name = xasprintf("LANYARD_NAME=%s", holding_name(options->holding));
	AUTO_FREE char *file =
		xasprintf("LANYARD_CERTIFICATE=%s/" PLACE_CERTIFICATE, options->place->dir);
	AUTO_FREE char *shown = place_key(options->place, options->pkcs11);
	AUTO_FREE char *key = xasprintf("LANYARD_KEY=%s", shown);
	const char *const variables[] = { name, file, key, NULL };
	struct fault fault;
	pid_t pid;

	if (options->reload == NULL)
		return;
	child_destroy(certificate->reload);
	certificate->reload = NULL;
	if (shell_start(&pid, options->reload, variables, &fault) != OK)
		log_warn("reload_failed", "text=%s", log_value(fault.detail));
	else
		certificate->reload =
			child_create(options->loop, pid, RELOAD_LIMIT_MS, on_reloaded, certificate);
}

static void fail(struct certificate *certificate, const struct verdict *verdict)
{
	certificate->verdict = *verdict;
	certificate->failed_s = now_s();
	certificate->retry_s =
		now_s() + schedule_retry_ms(++certificate->failures, randombytes_random()) / 1000 +
		1;
	sleep_until(certificate, certificate->retry_s);
	log_warn("certificate_failed", "name=%s reason=%s text=%s",
		holding_name(certificate->options.holding), verdict->reason,
		log_value(verdict->text));
}

static void fail_at_home(struct certificate *certificate, const struct fault *fault)
{
	struct verdict verdict = { .reason = "helper" };

	memcpy(verdict.text, fault->detail, sizeof(verdict.text));
	fail(certificate, &verdict);
}

static void succeed(struct certificate *certificate)
{
	struct fault fault;
	char until[CLOCK_TEXT_LEN];

	if (load(certificate, &fault) != OK) {
		fail_at_home(certificate, &fault);
		return;
	}
	remove_old(certificate);
	certificate->failures = 0;
	certificate->verdict.reason = NULL;
	if (certificate->renew_s < now_s() + AGAIN_MIN_MS / 1000)
		certificate->renew_s = now_s() + AGAIN_MIN_MS / 1000;
	sleep_until(certificate, certificate->renew_s);
	clock_text(certificate->life.until_s, until);
	log_info("certificate", "name=%s until=%s", holding_name(certificate->options.holding),
		until);
	reload(certificate);
	certificate->options.renewed(certificate->options.context);
}

/* The time cannot be before that of a file that was written here. */
static bool clock_is_behind(const struct certificate *certificate)
{
	AUTO_FREE char *path = xasprintf("%s/private/key.pem", certificate->folder);
	struct stat file;

	return stat(path, &file) == 0 && file.st_mtim.tv_sec > now_s() + 1;
}

static void judge(struct certificate *certificate, int status, const char *said)
{
	struct verdict verdict;

	verdict_read(&verdict, &(struct verdict_of){ status, said, certificate->api,
				       clock_is_behind(certificate) });
	fail(certificate, &verdict);
}

static void end_run(struct certificate *certificate)
{
	helper_destroy(certificate->helper);
	certificate->helper = NULL;
	loop_clear_timer(certificate->options.loop, &certificate->visible);
	holding_cancel_challenge(certificate->options.holding);
}

/* `new` says "Account already exists" as a failure. */
static void end_account(struct certificate *certificate, int status, const char *said)
{
	char url[ACCOUNT_MAX];
	struct fault fault;

	if (!verdict_account(said, url, sizeof(url)))
		judge(certificate, status, said);
	else if (save_account(certificate, url, &fault) != OK)
		fail_at_home(certificate, &fault);
	else
		begin(certificate);
}

static void end_issue(struct certificate *certificate, int status, const char *said)
{
	holding_challenge(certificate->options.holding, "", NULL, NULL);
	if (verdict_no_account(said))
		forget_account(certificate);
	if (WIFEXITED(status) && WEXITSTATUS(status) <= NOT_DUE)
		succeed(certificate);
	else
		judge(certificate, status, said);
}

static void on_ended(void *context, int status, const char *text)
{
	struct certificate *certificate = context;
	AUTO_FREE char *said = xstrdup(text);

	end_run(certificate);
	if (certificate->new_account)
		end_account(certificate, status, said);
	else
		end_issue(certificate, status, said);
	free(certificate->api);
	certificate->api = NULL;
}

/* ---- a run ---- */

static void on_visible(void *context)
{
	struct certificate *certificate = context;

	helper_answer(certificate->helper, true);
}

static void on_challenge_set(void *context, const char *why)
{
	struct certificate *certificate = context;

	if (why == NULL) {
		loop_set_timer(
			certificate->options.loop, &certificate->visible, clock_ms() + VISIBLE_MS);
		return;
	}
	free(certificate->api);
	certificate->api = xstrdup(why);
	helper_answer(certificate->helper, false);
}

static void on_challenged(void *context, const char *name, const char *value)
{
	struct certificate *certificate = context;

	if (strcmp(name, holding_name(certificate->options.holding)) == 0)
		holding_challenge(
			certificate->options.holding, value, on_challenge_set, certificate);
	else
		helper_answer(certificate->helper, false);
}

static void start(struct certificate *certificate, char *const *argv)
{
	const struct certificate_options *options = &certificate->options;

	certificate->helper = helper_start(&(struct helper_options){
		.loop = options->loop,
		.dir = certificate->folder,
		.argv = argv,
		.ca = options->acme_ca,
		.proxy = options->proxy,
		.context = certificate,
		.challenged = on_challenged,
		.ended = on_ended,
	});
}

#define UACME                                                                                      \
	"uacme", "-v", "-a", (char *)certificate->options.acme, "-c", certificate->folder, "-t",   \
		"EC"

static void begin_with_token(struct certificate *certificate, char *hook)
{
	AUTO_FREE char *file = NULL;
	struct fault fault;

	if (request_write(certificate->folder, holding_name(certificate->options.holding),
		    certificate->options.pkcs11, &file, &fault) == OK)
		start(certificate,
			(char *const[]){ UACME, "-f", "-o", "-h", hook, "issue", file, NULL });
	else
		fail_at_home(certificate, &fault);
}

static void begin(struct certificate *certificate)
{
	AUTO_FREE char *hook = xasprintf("%s/" HELPER_HOOK_NAME, certificate->folder);
	const char *name = holding_name(certificate->options.holding);
	AUTO_FREE char *below = xasprintf("*.%s", name);
	char account[ACCOUNT_MAX];

	certificate->new_account = !load_account(certificate, account);
	if (certificate->new_account) {
		start(certificate, (char *const[]){ UACME, "-y", "new", NULL });
		return;
	}
	holding_set_account(certificate->options.holding, account);
	if (certificate->options.pkcs11 != NULL)
		begin_with_token(certificate, hook);
	else
		start(certificate, (char *const[]){ UACME, "-f", "-o", "-h", hook, "issue",
					   (char *)name, below, NULL });
}

/* ---- life ---- */

err_t certificate_create(
	struct certificate **out, const struct certificate_options *options, struct fault *fault)
{
	struct certificate *certificate = xcalloc(1, sizeof(*certificate));
	const char *name = holding_name(options->holding);
	char account[ACCOUNT_MAX];
	err_t err;

	certificate->options = *options;
	certificate->folder = folder_of(options->state, options->acme);
	certificate->file = xasprintf("%s/%s/%s", certificate->folder, name,
		options->pkcs11 != NULL ? REQUEST_CERTIFICATE : "cert.pem");
	certificate->key = xasprintf("%s/private/%s/key.pem", certificate->folder, name);
	certificate->timer = (struct loop_timer){ .fire = on_timer, .context = certificate };
	certificate->visible = (struct loop_timer){ .fire = on_visible, .context = certificate };
	if ((err = state_make_folder(certificate->folder, fault)) == OK)
		err = helper_link_hook(certificate->folder, fault);
	if (err != OK) {
		certificate_destroy(certificate);
		return err;
	}
	if (load_account(certificate, account))
		holding_set_account(options->holding, account);
	if (load(certificate, fault) != OK)
		certificate->renew_s = 0;
	sleep_until(certificate, certificate->renew_s);
	*out = certificate;
	return OK;
}

void certificate_destroy(struct certificate *certificate)
{
	if (certificate == NULL)
		return;
	if (certificate->helper != NULL)
		end_run(certificate);
	loop_clear_timer(certificate->options.loop, &certificate->timer);
	child_destroy(certificate->reload);
	free(certificate->api);
	free(certificate->folder);
	free(certificate->file);
	free(certificate->key);
	free(certificate);
}

bool certificate_is_good(const struct certificate *certificate)
{
	return certificate->renew_s != 0 && certificate->life.until_s > now_s();
}

const char *certificate_problem(const struct certificate *certificate)
{
	return certificate->verdict.reason != NULL ? certificate->verdict.text : "";
}

static void set_time(json_t *status, const char *member, int64_t unix_s)
{
	char text[CLOCK_TEXT_LEN];

	clock_text(unix_s, text);
	json_object_set_new(status, member, json_string(text));
}

void certificate_report(const struct certificate *certificate, json_t *status)
{
	const struct certificate_options *options = &certificate->options;
	AUTO_FREE char *file = xasprintf("%s/" PLACE_CERTIFICATE, options->place->dir);
	AUTO_FREE char *key = place_key(options->place, options->pkcs11);

	if (certificate->renew_s != 0) {
		set_time(status, "certificate_until", certificate->life.until_s);
		set_time(status, "certificate_renewal", certificate->renew_s);
		json_object_set_new(status, "certificate", json_string(file));
		json_object_set_new(status, "key", json_string(key));
	}
	if (certificate->verdict.reason == NULL)
		return;
	json_object_set_new(status, "certificate_reason", json_string(certificate->verdict.reason));
	json_object_set_new(status, "certificate_problem", json_string(certificate->verdict.text));
	set_time(status, "certificate_retry", certificate->retry_s);
}
