/* trial: see trial.h. Each step is in the journal before it is taken, so that a process that was
 * killed goes on, and one that is killed each time gives up. */
#include "agents/packages/trial.h"

#include "agents/child.h"
#include "agents/packages/depot.h"
#include "agents/portal.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/shell.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define ATTEMPTS_MAX  3
#define TEST_AGAIN_MS 1000

struct trial {
	struct trial_options options;
	struct loop_timer timer; /* the next test, or the next step after a failure to take one */
	struct child *child;
	struct fetch *fetch;
	int64_t test_until_ms;
};

static void go_back(struct trial *trial, const char *why);

static bool is_returning(const struct trial *trial)
{
	return trial->options.journal->phase == JOURNAL_RETURNING;
}

/* What can't be written is tried again: going on without it would forget it. */
static bool save(struct trial *trial)
{
	struct fault fault;

	if (journal_save(trial->options.journal, trial->options.dir, &fault) == OK)
		return true;
	log_error("journal", "text=%s", log_value(fault.detail));
	loop_set_timer(trial->options.loop, &trial->timer, clock_ms() + TEST_AGAIN_MS);
	return false;
}

/* ---- the end ---- */

static void end(struct trial *trial)
{
	struct journal *journal = trial->options.journal;

	if (is_returning(trial)) {
		journal->outcome = JOURNAL_FAILED;
		log_warn("package_failed", "package=%u reason=%s good=%u", journal->package,
			log_value(journal->reason), journal->good);
	} else {
		journal->outcome = JOURNAL_APPLIED;
		journal->good = journal->package;
		log_info("package_applied", "package=%u", journal->package);
	}
	journal->phase = JOURNAL_IDLE;
	trial->options.ended(trial->options.context);
}

/* ---- is the portal still there? ---- */

static void test(struct trial *trial);

static void on_tested(void *context, const struct fetch_reply *reply)
{
	struct trial *trial = context;
	char why[JOURNAL_REASON_SIZE];

	trial->fetch = NULL;
	if (reply->err == OK) {
		end(trial);
	} else if (clock_ms() < trial->test_until_ms) {
		loop_set_timer(trial->options.loop, &trial->timer, clock_ms() + TEST_AGAIN_MS);
	} else {
		snprintf(why, sizeof(why), "the portal is not reached with it: %.150s",
			reply->fault.detail);
		go_back(trial, why);
	}
}

static void test(struct trial *trial)
{
	trial->fetch = portal_get(trial->options.fetcher, trial->options.device, "/v1/manifest",
		true, on_tested, trial);
}

static void test_later(struct trial *trial)
{
	int64_t first_ms = clock_ms() + (int64_t)trial->options.settle_s * 1000;

	trial->test_until_ms = first_ms + (int64_t)trial->options.test_s * 1000;
	loop_set_timer(trial->options.loop, &trial->timer, first_ms);
}

/* ---- the command ---- */

/* Why the command did not do it; NULL: it did. */
static const char *judge_command(int status, char *text, size_t size)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return NULL;
	if (WIFEXITED(status))
		snprintf(text, size, "the command ended with status %d", WEXITSTATUS(status));
	else if (WTERMSIG(status) == SIGKILL)
		snprintf(text, size, "the command took too long");
	else
		snprintf(text, size, "the command was ended by signal %d", WTERMSIG(status));
	return text;
}

/* What applies the good one again may fail too: there is nothing better to go back to. */
static void commanded(struct trial *trial, const char *why)
{
	if (is_returning(trial)) {
		if (why != NULL)
			log_error("return_failed", "good=%u text=%s", trial->options.journal->good,
				log_value(why));
		end(trial);
	} else if (why != NULL) {
		go_back(trial, why);
	} else {
		test_later(trial);
	}
}

static void on_commanded(void *context, int status)
{
	struct trial *trial = context;
	char text[JOURNAL_REASON_SIZE];
	const char *why = judge_command(status, text, sizeof(text));

	child_destroy(trial->child);
	trial->child = NULL;
	commanded(trial, why);
}

static void command(struct trial *trial)
{
	const struct trial_options *options = &trial->options;
	uint32_t package = is_returning(trial) ? options->journal->good : options->journal->package;
	AUTO_FREE char *dir = xasprintf("LANYARD_PACKAGE=%s/" DEPOT_CURRENT, options->dir);
	AUTO_FREE char *number = xasprintf("LANYARD_PACKAGE_NUMBER=%u", package);
	AUTO_FREE char *reason =
		xasprintf("LANYARD_REASON=%s", is_returning(trial) ? "return" : "apply");
	const char *const variables[] = { dir, number, reason, NULL };
	struct fault fault;
	pid_t pid;

	if (options->command == NULL)
		commanded(trial, NULL);
	else if (shell_start(&pid, options->command, variables, &fault) != OK)
		commanded(trial, fault.detail);
	else
		trial->child = child_create(options->loop, pid, (int64_t)options->command_s * 1000,
			on_commanded, trial);
}

/* ---- steps ---- */

static void use(struct trial *trial)
{
	const struct trial_options *options = &trial->options;
	bool returning = is_returning(trial);
	struct fault fault;

	if (depot_use(options->dir, returning ? options->journal->good : options->journal->package,
		    &fault) == OK) {
		command(trial);
		return;
	}
	log_error("package_link", "text=%s", log_value(fault.detail));
	if (returning)
		loop_set_timer(options->loop, &trial->timer, clock_ms() + TEST_AGAIN_MS);
	else
		go_back(trial, fault.detail);
}

static void save_and_use(struct trial *trial)
{
	if (save(trial))
		use(trial);
}

static void go_back(struct trial *trial, const char *why)
{
	struct journal *journal = trial->options.journal;

	journal->phase = JOURNAL_RETURNING;
	snprintf(journal->reason, sizeof(journal->reason), "%.190s", why);
	save_and_use(trial);
}

static void begin(struct trial *trial)
{
	struct journal *journal = trial->options.journal;

	if (journal->attempts >= ATTEMPTS_MAX) {
		go_back(trial, "the device was interrupted each time that it began with it");
	} else {
		journal->attempts++;
		save_and_use(trial);
	}
}

/* Before the test it is the beginning, or there was something that could not be written. */
static void on_timer(void *context)
{
	struct trial *trial = context;

	if (is_returning(trial))
		save_and_use(trial);
	else if (trial->test_until_ms != 0)
		test(trial);
	else
		begin(trial);
}

struct trial *trial_create(const struct trial_options *options)
{
	struct trial *trial = xcalloc(1, sizeof(*trial));

	trial->options = *options;
	trial->timer = (struct loop_timer){ .fire = on_timer, .context = trial };
	loop_set_timer(options->loop, &trial->timer, clock_ms());
	return trial;
}

void trial_destroy(struct trial *trial)
{
	if (trial == NULL)
		return;
	loop_clear_timer(trial->options.loop, &trial->timer);
	fetch_cancel(trial->fetch);
	child_destroy(trial->child);
	free(trial);
}
