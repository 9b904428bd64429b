/*
 * app_certificate: the certificates that people's apps get. They end with the
 * authorization of the app, or before; VPN servers ask about them, so a revocation list has none of
 * them (docs/decisions/0014-apps-certificates-are-asked-about.md). Runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"
#include "proto/certificates.pb-c.h"
#include "proto/event.pb-c.h"
#include "proto/profile.pb-c.h"

/* What an app is to get. */
struct app_certificate {
	const Provision__App *app;
	const char *profile_id; /* "": good for every profile */
	const char *label;
	const char *csr;     /* "": the key is made here */
	uint32_t lifetime_s; /* 0: as long as the authorization */
};

/* Signs it. `expires_at` is its end. INVALID_ARGUMENT (csr); FAILED_PRECONDITION: the authorization
 * is about to end. */
err_t app_certificate_issue(struct call *call, const struct app_certificate *wanted,
	Provision__Certificate *certificate, int64_t *expires_at) MUST_CHECK;

/* The event of auth: certificates end with an authorization or a user, and a user who was blocked
 * is told. */
err_t app_certificate_revoked(struct call *call, const Event__Revoked *event) MUST_CHECK;

/* The task: removes certificates and notices that are old. */
err_t app_certificate_forget(struct call *call) MUST_CHECK;
