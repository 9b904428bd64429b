/*
 * store_registration: the SQL of registered names and their challenges. Secrets come in as they
 * are and are kept as keyed digests. Every function runs in the call's transaction; those of a
 * holder want CALL_FLEET, as only the secret tells the tenant.
 */
#pragma once

#include "lib/call.h"
#include "proto/dns.pb-c.h"
#include "services/dns/domain.h"

#include <stdbool.h>
#include <stdint.h>

/* What a secret is for; no secret serves another use. */
enum store_secret { SECRET_TOKEN, SECRET_RECLAMATION, SECRET_VERIFICATION };

/* A registration, found by a secret or a name; text in the call's arena. */
struct store_holder {
	const char *tenant, *id, *label, *zone_name, *name; /* `name` is fully qualified */
	const char *device, *kind, *email;
	int zone;
	bool live;
	bool suspended;	  /* its token opens nothing now */
	const char *kite; /* its token sealed, "" if it isn't kept (store_kite.h) */
};

/* From the columns of a query. */
struct db_rows;
void store_holder_fill(struct call *call, const struct db_rows *rows, struct store_holder *holder);

/* Finds who holds a secret that has not expired; an empty one is nobody's. ERR_NOT_FOUND: field
 * "token" (or of the secret's use). */
err_t store_holder_find(struct call *call, enum store_secret use, const char *secret,
	struct store_holder *holder) MUST_CHECK;
err_t store_holder_named(
	struct call *call, int zone, const char *label, struct store_holder *holder) MUST_CHECK;
/* Of the call's tenant. */
err_t store_holder_by_id(struct call *call, const char *id, struct store_holder *holder) MUST_CHECK;
/* By the owner of its challenges, "_acme-challenge.LABEL.ZONE". */
err_t store_holder_of_challenge(
	struct call *call, const char *owner, struct store_holder *holder) MUST_CHECK;

/* ---- what becomes of it ---- */

struct store_new {
	const char *tenant; /* whose it is */
	int zone;
	const char *label, *device, *kind, *description, *email, *origin, *token;
};

/* Adds it; *taken instead if the name is. */
err_t store_registration_add(
	struct call *call, const struct store_new *new, const char **id, bool *taken) MUST_CHECK;

/* How many names a device holds. */
err_t store_registration_count(struct call *call, const char *device, long long *n) MUST_CHECK;

/* Gives it a new token; the old one, and a reclamation token, are nobody's from now on. */
err_t store_registration_renew(
	struct call *call, const struct store_holder *holder, const char *token) MUST_CHECK;

err_t store_registration_delete(struct call *call, const struct store_holder *holder) MUST_CHECK;

struct store_contact {
	const char *origin;
	const char *local_ips; /* text[]; NULL: as they are */
	const char *account;   /* NULL: as it is */
};

/* Heard from; its serial rises if that changes what it is found by. */
err_t store_registration_contact(struct call *call, const struct store_holder *holder,
	const struct store_contact *contact) MUST_CHECK;

err_t store_registration_reclamation(
	struct call *call, const struct store_holder *holder, const char *secret) MUST_CHECK;
err_t store_registration_email(struct call *call, const struct store_holder *holder,
	const char *email, bool optout, const char *secret) MUST_CHECK;
/* Verified, or (revoked) not any more; either way there is no verification secret any more. */
err_t store_registration_verified(
	struct call *call, const struct store_holder *holder, bool verified) MUST_CHECK;

err_t store_registration_holding(
	struct call *call, const struct store_holder *holder, Dns__Holding *holding) MUST_CHECK;

/* ---- challenges ---- */

#define STORE_CHALLENGES_MAX 8 /* of one name: the newest are kept */
#define STORE_CHALLENGE_LEN  63

/* Up to 63 of the characters of base64url? */
bool store_challenge_fine(const char *value);
err_t store_challenge_set(
	struct call *call, const struct store_holder *holder, const char *value) MUST_CHECK;
err_t store_challenge_remove(
	struct call *call, const struct store_holder *holder, const char *value) MUST_CHECK;
err_t store_challenge_clear(struct call *call, const struct store_holder *holder) MUST_CHECK;

/* ---- for its tenant ---- */

err_t store_registration_get(
	struct call *call, const char *id, Dns__Registration *reply) MUST_CHECK;
err_t store_registration_list(struct call *call, const Dns__ListRegistrationsRequest *request,
	Dns__RegistrationList *list) MUST_CHECK;

/* ---- for others ---- */

/* Live names with a local address that were last heard from at that address. */
err_t store_near(struct call *call, int zone, const char *origin, Dns__NearList *list) MUST_CHECK;
/* The name behind a word; remote or local by where the asker is. */
err_t store_discovered(
	struct call *call, const char *word, const char *origin, Dns__NearList *list) MUST_CHECK;
err_t store_discovery_set(struct call *call, const struct store_holder *holder, const char *word,
	bool remove, bool *changed) MUST_CHECK;

/* How long challenges live; set once at start. */
void store_registration_init(long challenge_s);
