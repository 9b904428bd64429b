/*
 * api: what every endpoint of /v1 shares: who asks and how often, which tenant, the request message
 * made of path, query and body, the bus call, and the reply. The resources in api/ are tables of
 * routes, and handlers for what is not one bus call. Runs in http's workers.
 */
#pragma once

#include "gateway/http.h"
#include "gateway/identity.h"
#include "gateway/limit.h"
#include "gateway/router.h"
#include "gateway/trust.h"

struct api {
	struct trust *trust;
	struct limit *principals; /* by subject */
	struct limit *addresses;  /* by origin, for those who are nobody yet */
	struct limit *guesses;	  /* by origin, for serial numbers that the portal does not know */
	struct event_streams *streams;
	const char *proxies; /* addresses that may tell whom they speak for, comma-separated */
	const char *lists;   /* folder of instance lists; "": none */
	bool names_2017;     /* the registration API as it was in 2017 */
	bool portal_aliases; /* the portal's paths as its devices' manual misprints them */
	const char *
		portal_host; /* that devices ask for here, whatever they say; NULL: what they say */
	bool portal_only;    /* there is nothing else here */
	bool plain;	     /* without TLS: polls of the portal, and no package */
};

/* One request on its way through the gateway. */
struct api_request {
	struct api *api;
	struct call *call; /* of `http` */
	const struct http_request *http;
	struct http_reply *reply;
	struct target target;
	struct route_match match;
	struct identity caller; /* all NULL: nobody */
	int64_t started_ms;	/* clock_ms() */
};

/* Every resource's table, NULL-terminated. */
extern const struct route *const api_tables[];

/* The APIs of other systems, in compat/. */
extern const struct route *const face_tables[];

/* The `serve` of struct http_options; `context` is a struct api. */
void api_serve(void *context, struct http_request *http, struct http_reply *reply);

/* The generic way: fills a request message of the route's method, calls, and sends the reply. */
err_t api_forward(struct api_request *request) MUST_CHECK;

/* Counts and logs a reply that has come by reply->again; api_serve does it of all others. */
void api_note(const struct api_request *request);

/* Its steps, for handlers (the first one is request_read): the call, and the reply with its status,
 * ETag and Location. */
err_t api_call(struct api_request *request, const ProtobufCMessage *message,
	const ProtobufCMessage **reply) MUST_CHECK;
void api_send(struct api_request *request, const ProtobufCMessage *message);

/* Sends text that is no message; it is static or in the call's arena. */
void api_send_text(
	struct api_request *request, const char *content_type, const char *text, size_t len);
