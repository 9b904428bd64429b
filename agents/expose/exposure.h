/*
 * exposure: one name of lanyard expose and what belongs to it: the name is held, its certificate is
 * kept, and its tunnel is open. Goes on until it is destroyed. The loop's thread.
 */
#pragma once

#include "agents/agent.h"
#include "agents/fetch.h"

#include "lib/tls_server.h"

#include <jansson.h>

#include <stdbool.h>

struct exposure;

/* What all names of a process share; all of it is kept. */
struct exposure_common {
	struct loop *loop;
	struct fetcher *fetcher;
	const struct device *device;
	const struct proxy *proxy;
	struct tls_trust *trust;
	struct congestion *congestion;
	const char *state;		     /* folder */
	const char *zone;		     /* of the names; NULL: the usual one */
	const char *interface;		     /* whose addresses are told */
	const char *acme, *acme_ca, *reload; /* certificate.h */
	const char *pkcs11;
	const char *http_target; /* tunnel.h */
	bool proxy_protocol;
};

struct exposure_options {
	const struct exposure_common *common; /* kept */
	const char *label;
	const char *target; /* tunnel.h */
	bool door;	    /* the target is ours: it can't do without the certificate */
	void *context;
	void (*changed)(void *context); /* any of what can be asked below */
	void (*renewed)(void *context); /* there is another certificate */
};

/* ERR_ALREADY_EXISTS: another process serves this name. */
err_t exposure_create(struct exposure **exposure, const struct exposure_options *options,
	struct fault *fault) MUST_CHECK;
void exposure_destroy(struct exposure *exposure); /* NULL is fine */

const char *exposure_label(const struct exposure *exposure);
const char *exposure_name(const struct exposure *exposure); /* fully qualified; "": not known */

/* The name was asked for, with an answer. */
bool exposure_is_settled(const struct exposure *exposure);
bool exposure_is_taken(const struct exposure *exposure);       /* by somebody else */
bool exposure_is_ready(const struct exposure *exposure);       /* visitors reach it */
const char *exposure_problem(const struct exposure *exposure); /* "" if there is none */

/* Its certificate, in texts of its own. False: there is none that is good. */
bool exposure_identity(const struct exposure *exposure, struct tls_identity *identity);

/* A folder for what else belongs to the name. */
const char *exposure_folder(const struct exposure *exposure);

json_t *exposure_status(const struct exposure *exposure);
