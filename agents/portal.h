/*
 * portal: the calls of the REST API with which a device joins: POST /v1/enrolments and POST
 * /v1/attachments; and what all calls to the portal share.
 */
#pragma once

#include "agents/fetch.h"
#include "agents/reply.h"
#include "agents/state.h"

#include "lib/err.h"

#include <jansson.h>

/* Fails unless the reply is of a good status; the fault tells what the portal said. */
err_t portal_check(const struct fetch_reply *reply, struct fault *fault) MUST_CHECK;

/* The same, and puts the JSON object that it has to be into `body`, for the caller to free. */
err_t portal_read(const struct fetch_reply *reply, json_t **body, struct fault *fault) MUST_CHECK;

/* After a failure: is it worth to ask again? */
bool portal_is_busy(const struct fetch_reply *reply);

/* As whom to post, and how. */
struct portal_manner {
	const char *token;	     /* of a name; NULL: as the device */
	const char *idempotency_key; /* NULL: none */
};

#define PORTAL_ANEW (&(const struct portal_manner){ 0 }) /* as the device, without a key */

/* Posts the object, which it takes, to a path of the device's portal. */
struct fetch *portal_post(struct fetcher *fetcher, const struct device *device, const char *path,
	const struct portal_manner *manner, json_t *object,
	void (*done)(void *context, const struct fetch_reply *reply), void *context);

/* Gets a path of the device's portal as the device; `fresh` as in fetch.h. */
struct fetch *portal_get(struct fetcher *fetcher, const struct device *device, const char *path,
	bool fresh, void (*done)(void *context, const struct fetch_reply *reply), void *context);

/* Enrols at `url` as `name`; blocks. */
struct portal_enrolment {
	const char *url;
	const char *name;
	const char *enrolment_key;
	const char *idempotency_key;
	const char *ca_pem; /* certificates to trust beside the system's; may be NULL */
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
