/*
 * holding: a name that this device holds: registers it if there is no token for it, keeps it alive
 * by reporting the device's addresses, sets its ACME challenges. Goes on until it is destroyed. The
 * loop's thread.
 */
#pragma once

#include "agents/expose/place.h"
#include "agents/expose/registry.h"
#include "agents/loop.h"

#include <jansson.h>

#include <stdbool.h>

struct holding;

enum holding_state {
	HOLDING_REGISTERING, /* asks for it, or waits until it asks again */
	HOLDING_HELD,
	HOLDING_TAKEN, /* it is somebody else's; asked for again, rarely */
};

struct holding_options {
	struct loop *loop;
	struct fetcher *fetcher;
	const struct device *device; /* kept */
	const struct place *place;   /* kept */
	const char *label;	     /* kept */
	const char *zone;	     /* kept; NULL: the usual one */
	const char *interface;	     /* kept; whose addresses are told */
	void *context;
	/* The state, the token or what the portal tells of the name has changed. */
	void (*changed)(void *context);
};

struct holding *holding_create(const struct holding_options *options);
void holding_destroy(struct holding *holding); /* NULL is fine */

enum holding_state holding_state(const struct holding *holding);
const char *holding_label(const struct holding *holding);
const char *holding_name(const struct holding *holding);  /* fully qualified; "": not known yet */
const char *holding_token(const struct holding *holding); /* while it is held */
const struct name_info *holding_info(const struct holding *holding); /* while it is held */
const char *holding_problem(const struct holding *holding);	     /* "" if there is none */

/* The ACME account that may have certificates for the name; reported at once if it is another. */
void holding_set_account(struct holding *holding, const char *account);

/* Reports at once, whenever it was done last; `changed` follows. */
void holding_report(struct holding *holding);

/* Adds a challenge ("" removes all); one at a time. `done` gets NULL or why it failed; NULL if
 * nobody waits. */
void holding_challenge(struct holding *holding, const char *value,
	void (*done)(void *context, const char *why), void *context);
void holding_cancel_challenge(struct holding *holding);
