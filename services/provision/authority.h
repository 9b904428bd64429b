/*
 * authority: the tenant's root and issuing authorities, and what keeps them fresh. A tenant gets
 * its own when it first needs them. Runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"
#include "services/provision/pki.h"

#define AUTHORITY_ROOT	  "root"
#define AUTHORITY_ISSUING "issuing"

/* Who signs for the tenant now. */
struct authority_signer {
	const char *id;
	struct pki_issuer issuer;
	int64_t not_after_s;
};

/* How long a revocation list is good; once, before the first thread. */
void authority_open(long crl_hours);

err_t authority_signer(struct call *call, struct authority_signer *signer) MUST_CHECK;

/* The certificates of all that are not retired, in PEM: roots, then issuing ones. */
err_t authority_trust(struct call *call, const char **trust) MUST_CHECK;

/* Makes the revocation list of an authority anew. */
err_t authority_list_revoked(struct call *call, const char *authority) MUST_CHECK;

/* The same for all that have signed for a device, whose state has changed. */
err_t authority_device_changed(struct call *call, const char *device) MUST_CHECK;

/* The task: lists that have used nearly half of their time, issuing authorities that have used half
 * of theirs, and the metrics. */
err_t authority_refresh(struct call *call) MUST_CHECK;
