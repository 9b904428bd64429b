/*
 * eduvpn: the APIs that people's VPN apps speak, of old (API 2) and of today (API 3), at the paths
 * of the server that they come from (docs/eduvpn.md). In workers.
 */
#pragma once

#include "gateway/compat/face.h"
#include "proto/oauth.pb-c.h"
#include "proto/profile.pb-c.h"

#define EDUVPN_PORTAL "/vpn-user-portal"
#define EDUVPN_API    EDUVPN_PORTAL "/api.php"

/* One request of an app, whose token was believed. */
struct eduvpn {
	struct api_request *request;
	const char *name; /* of the operation, "profile_list" */
	const Auth__Introspection *token;
	Provision__App app;
	struct form form; /* the query of a GET, the body of a POST */
};

/* One operation. A row whose name is NULL ends a table. */
struct eduvpn_operation {
	const char *name, *method;
	/* Makes the reply, or returns what went wrong on the way to it. */
	err_t (*serve)(struct eduvpn *edu);
};

extern const struct eduvpn_operation eduvpn_api2[];
extern const struct eduvpn_operation eduvpn_api3[];

/* Asks provision. */
err_t eduvpn_ask(struct eduvpn *edu, const char *method, const ProtobufCMessage *message,
	const void **reply) MUST_CHECK;

/* {"error": TEXT}, with printf. */
void eduvpn_error(struct eduvpn *edu, enum http_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A text that comes in several languages as JSON: plain, or an object of language to text. */
const char *eduvpn_words(
	struct arena *arena, const char *text, size_t n, char *const translations[]);

/* What the app sent as `csr`; "" for nothing. */
const char *eduvpn_csr(const struct eduvpn *edu);

/* ---- eduvpn_notices.c: notices as API 2 has them, a JSON array ---- */

const char *eduvpn_notices(struct arena *arena, const Provision__NoticeList *list);
