/*
 * expose: gives this device its names: the one of its MAC address first, then the friendly one that
 * was chosen on the command line or on the page. Visitors of both reach the target; with the page,
 * those of the MAC name reach the page. The loop's thread.
 */
#pragma once

#include "agents/expose/exposure.h"

struct expose;

/* All of it is kept. */
struct expose_options {
	struct exposure_common common;
	const char *target; /* ADDRESS:PORT, or the path of a unix socket */
	const char *name;   /* label of the friendly name; NULL: the one that was chosen before */
	bool tls;	    /* end TLS here, and pass plain bytes to the target */
	const char *listen; /* with tls: for neighbours too; NULL: for visitors only */
	const char *page;   /* where the page is in the local network; NULL: nowhere */
};

err_t expose_create(struct expose **expose, const struct expose_options *options,
	struct fault *fault) MUST_CHECK;
void expose_destroy(struct expose *expose); /* NULL is fine */

/* How it is, as one JSON object (docs/expose.md has the members); the text is the caller's. */
char *expose_status(const struct expose *expose);
