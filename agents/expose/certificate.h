/*
 * certificate: keeps a certificate for a name, and for all names right below it, in the name's
 * place: gets it from an ACME authority by uacme, renews it when two thirds of its life are over,
 * tries again after a failure and says which step failed. The loop's thread.
 */
#pragma once

#include "agents/expose/holding.h"
#include "agents/expose/place.h"
#include "agents/loop.h"
#include "agents/proxy.h"

#include <jansson.h>

#include <stdbool.h>

#define CERTIFICATE_ACME "https://acme-v02.api.letsencrypt.org/directory"

struct certificate;

/* All of it is kept. */
struct certificate_options {
	struct loop *loop;
	struct holding *holding; /* whose name is known */
	const struct place *place;
	const char *state;   /* folder, for the accounts */
	const char *acme;    /* URL of the authority's directory */
	const char *acme_ca; /* file of certificates to trust there; NULL: the system's */
	const char *reload;  /* command to run when there is a new one; NULL: none */
	const char *pkcs11;  /* URI of the key, which is in a token; NULL: a file of its own */
	const struct proxy *proxy;
	void *context;
	void (*renewed)(void *context); /* there is one, or another than before */
};

err_t certificate_create(struct certificate **certificate,
	const struct certificate_options *options, struct fault *fault) MUST_CHECK;
void certificate_destroy(struct certificate *certificate); /* NULL is fine */

/* There is one, and its time is not over. */
bool certificate_is_good(const struct certificate *certificate);

/* What went wrong last; "" if nothing. */
const char *certificate_problem(const struct certificate *certificate);

/* Adds what a status tells of it. */
void certificate_report(const struct certificate *certificate, json_t *status);
