/*
 * portal: the two calls of the REST API that a device makes: POST /v1/enrolments and POST
 * /v1/attachments.
 */
#pragma once

#include "agents/fetch.h"
#include "agents/reply.h"
#include "agents/state.h"

#include "lib/err.h"

/* Enrols at `url` as `name`; blocks. */
struct portal_enrolment {
	const char *url;
	const char *name;
	const char *enrolment_key;
	const char *idempotency_key;
	const char *ca_pem; /* NULL: those of the system */
	const struct proxy *proxy;
};
err_t portal_enrol(const struct portal_enrolment *request, struct enrolment *enrolment,
	struct fault *fault) MUST_CHECK;

/* Asks for an attachment to `network` (NULL: the only one) as `device`. `done` gets what
 * portal_attached reads. */
struct fetch *portal_attach(struct fetcher *fetcher, const struct device *device,
	const char *network, void (*done)(void *context, const struct fetch_reply *reply),
	void *context);

err_t portal_attached(const struct fetch_reply *reply, struct attachment *attachment,
	struct fault *fault) MUST_CHECK;
