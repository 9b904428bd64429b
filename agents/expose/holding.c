/* holding: see holding.h. */
#include "agents/expose/holding.h"

#include "agents/backoff.h"
#include "agents/expose/machine.h"
#include "agents/portal.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <sodium.h>

#include <stdio.h>
#include <string.h>

#define LOOK_MS	     30000	  /* how often the addresses are looked at */
#define REPORT_MAX_S 900	  /* the longest time between two reports */
#define TAKEN_MS     (10 * 60000) /* until a name that is another's is asked for again */
#define ACCOUNT_MAX  181	  /* what fits into a CAA record */

struct holding {
	struct holding_options options;
	enum holding_state state;
	struct registration registration; /* token "": there is none */
	struct name_info info;
	struct fetch *fetch;	 /* of registering or reporting; NULL: none is under way */
	struct loop_timer timer; /* then the next of them */
	unsigned failures;	 /* in a row */
	int64_t reported_ms;
	char reported[MACHINE_ADDRESSES_SIZE];
	char account[ACCOUNT_MAX];
	bool account_told;
	bool asked; /* to report, and to tell when it is done */
	char problem[256];
	struct fetch *challenge; /* NULL: none is under way */
	void (*challenge_done)(void *context, const char *why);
	void *challenge_context;
};

static void go_on(struct holding *holding);

static void wait_ms(struct holding *holding, int64_t delay_ms)
{
	loop_set_timer(holding->options.loop, &holding->timer, clock_ms() + delay_ms);
}

static void on_timer(void *context)
{
	go_on(context);
}

/* ---- what goes wrong ---- */

/* Told once, not at each attempt. */
static void tell_problem(struct holding *holding, const char *text)
{
	if (strcmp(text, holding->problem) == 0)
		return;
	snprintf(holding->problem, sizeof(holding->problem), "%s", text);
	if (*text != '\0')
		log_warn(
			"name_problem", "name=%s text=%s", holding->options.label, log_value(text));
}

static void set_state(struct holding *holding, enum holding_state state)
{
	bool other = holding->state != state;

	holding->state = state;
	if (other)
		holding->options.changed(holding->options.context);
}

/* A fault that may be over soon: the name stays what it was. */
static void try_again(struct holding *holding, const struct fault *fault)
{
	tell_problem(holding, fault->detail);
	wait_ms(holding, backoff_delay_ms(++holding->failures, randombytes_random()));
}

/* ---- registering ---- */

static void on_registered(void *context, const struct fetch_reply *reply)
{
	struct holding *holding = context;
	struct registration registration;
	struct fault fault;
	err_t err = registry_registered(reply, &registration, &fault);

	holding->fetch = NULL;
	if (err == OK)
		err = place_save(holding->options.place, &registration, &fault);
	if (err == ERR_ALREADY_EXISTS || err == ERR_INVALID_ARGUMENT) {
		tell_problem(holding, fault.detail);
		wait_ms(holding, TAKEN_MS);
		set_state(holding, HOLDING_TAKEN);
		return;
	}
	if (err != OK) {
		try_again(holding, &fault);
		return;
	}
	log_info("name_registered", "name=%s", registration.name);
	holding->registration = registration;
	go_on(holding);
}

/* ---- reporting ---- */

/* The token opens nothing any more: the name was forgotten, reclaimed or given to another. */
static void forget_token(struct holding *holding)
{
	log_warn("name_lost", "name=%s text=\"its token is not valid any more\"",
		holding->options.label);
	holding->registration.token[0] = '\0';
	set_state(holding, HOLDING_REGISTERING);
	go_on(holding);
}

/* Until a name that is alive is reported again, if nothing changes. */
static int64_t report_after_ms(const struct holding *holding)
{
	uint32_t s = holding->info.expire_s / 4;

	return INT64_C(1000) * (s == 0 || s > REPORT_MAX_S ? REPORT_MAX_S : s);
}

static int64_t look_after_ms(const struct holding *holding)
{
	int64_t report_ms = report_after_ms(holding);

	return report_ms < LOOK_MS ? report_ms : LOOK_MS;
}

static void on_info(void *context, const struct fetch_reply *reply)
{
	struct holding *holding = context;
	struct name_info info = { 0 };
	struct fault fault;
	err_t err = registry_info(reply, &info, &fault);
	bool other;

	holding->fetch = NULL;
	if (err == ERR_NOT_FOUND) {
		forget_token(holding);
		return;
	}
	if (err != OK) {
		try_again(holding, &fault);
		return;
	}
	other = memcmp(&info, &holding->info, sizeof(info)) != 0 ||
		holding->state != HOLDING_HELD || holding->asked;
	holding->asked = false;
	holding->info = info;
	holding->failures = 0;
	tell_problem(holding, "");
	holding->state = HOLDING_HELD;
	holding->reported_ms = clock_ms();
	wait_ms(holding, holding->account_told ? look_after_ms(holding) : 0);
	if (other)
		holding->options.changed(holding->options.context);
}

static void on_reported(void *context, const struct fetch_reply *reply)
{
	struct holding *holding = context;
	struct fault fault;
	err_t err = portal_check(reply, &fault);

	holding->fetch = NULL;
	if (err == ERR_NOT_FOUND) {
		forget_token(holding);
	} else if (err != OK) {
		holding->account_told = false;
		try_again(holding, &fault);
	} else {
		holding->fetch = registry_ask(holding->options.fetcher, holding->options.device,
			holding->registration.token, on_info, holding);
	}
}

/* Nothing to report: the addresses are as they were told, not long ago. */
static bool is_fresh(const struct holding *holding, const char *addresses)
{
	return holding->state == HOLDING_HELD && holding->failures == 0 && holding->account_told &&
	       !holding->asked && strcmp(addresses, holding->reported) == 0 &&
	       clock_ms() - holding->reported_ms < report_after_ms(holding);
}

static void report(struct holding *holding)
{
	char addresses[MACHINE_ADDRESSES_SIZE];

	machine_addresses(holding->options.interface, addresses);
	if (is_fresh(holding, addresses)) {
		wait_ms(holding, look_after_ms(holding));
		return;
	}
	memcpy(holding->reported, addresses, sizeof(addresses));
	holding->account_told = true;
	holding->fetch = registry_report(holding->options.fetcher, holding->options.device,
		holding->registration.token, addresses,
		holding->account[0] != '\0' ? holding->account : NULL, on_reported, holding);
}

static void go_on(struct holding *holding)
{
	if (holding->fetch != NULL)
		return;
	loop_clear_timer(holding->options.loop, &holding->timer);
	if (holding->registration.token[0] != '\0')
		report(holding);
	else
		holding->fetch = registry_register(holding->options.fetcher,
			holding->options.device, holding->options.label, holding->options.zone,
			on_registered, holding);
}

/* ---- life ---- */

struct holding *holding_create(const struct holding_options *options)
{
	struct holding *holding = xcalloc(1, sizeof(*holding));
	struct fault fault;
	err_t err;

	holding->options = *options;
	holding->account_told = true;
	holding->timer = (struct loop_timer){ .fire = on_timer, .context = holding };
	err = place_load(options->place, &holding->registration, &fault);
	if (err != OK)
		holding->registration = (struct registration){ "", "" };
	if (err != OK && err != ERR_NOT_FOUND) /* a new token does it */
		log_warn("name_token", "name=%s text=%s", options->label, log_value(fault.detail));
	go_on(holding);
	return holding;
}

void holding_destroy(struct holding *holding)
{
	if (holding == NULL)
		return;
	loop_clear_timer(holding->options.loop, &holding->timer);
	fetch_cancel(holding->fetch);
	fetch_cancel(holding->challenge);
	sodium_memzero(&holding->registration, sizeof(holding->registration));
	free(holding);
}

enum holding_state holding_state(const struct holding *holding)
{
	return holding->state;
}

const char *holding_label(const struct holding *holding)
{
	return holding->options.label;
}

const char *holding_name(const struct holding *holding)
{
	return holding->registration.name;
}

const char *holding_token(const struct holding *holding)
{
	return holding->registration.token;
}

const struct name_info *holding_info(const struct holding *holding)
{
	return &holding->info;
}

const char *holding_problem(const struct holding *holding)
{
	return holding->problem;
}

void holding_set_account(struct holding *holding, const char *account)
{
	if (strcmp(account, holding->account) == 0 || strlen(account) >= ACCOUNT_MAX)
		return;
	strcpy(holding->account, account);
	holding->account_told = false;
	if (holding->state == HOLDING_HELD)
		go_on(holding);
}

void holding_report(struct holding *holding)
{
	holding->asked = true;
	if (holding->state == HOLDING_HELD)
		go_on(holding);
}

/* ---- challenges ---- */

static void on_challenge(void *context, const struct fetch_reply *reply)
{
	struct holding *holding = context;
	struct fault fault;
	err_t err = portal_check(reply, &fault);

	holding->challenge = NULL;
	if (holding->challenge_done != NULL)
		holding->challenge_done(
			holding->challenge_context, err == OK ? NULL : fault.detail);
}

void holding_challenge(struct holding *holding, const char *value,
	void (*done)(void *context, const char *why), void *context)
{
	holding_cancel_challenge(holding);
	holding->challenge_done = done;
	holding->challenge_context = context;
	holding->challenge = registry_challenge(holding->options.fetcher, holding->options.device,
		holding->registration.token, value, on_challenge, holding);
}

void holding_cancel_challenge(struct holding *holding)
{
	fetch_cancel(holding->challenge);
	holding->challenge = NULL;
}
