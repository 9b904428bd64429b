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

#define EDUVPN_ADMIN EDUVPN_PORTAL "/admin/api"

/* One request of an app, whose token was believed; or of a program, whose API key was. */
struct eduvpn {
	struct api_request *request;
	const char *name;		  /* of the operation, "profile_list" */
	const Auth__Introspection *token; /* of an app */
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
extern const struct eduvpn_operation eduvpn_admin[];

/* One API: its operations are at BASE/VERSION/NAME. */
struct eduvpn_api {
	const char *base, *version; /* "": none */
	const struct eduvpn_operation *operations;
	/* Fills who asks; false: the reply is made, or `err` says why there is none. */
	bool (*believe)(struct eduvpn *edu, err_t *err);
};

bool eduvpn_believe_key(struct eduvpn *edu, err_t *err); /* of the admin API */

/* There is nothing at this path. */
void eduvpn_refuse_path(struct eduvpn *edu);

/* The operation `connect` of API 3, for who is in edu->app. */
err_t eduvpn_connect(struct eduvpn *edu) MUST_CHECK;

/* "invalid value for NAME", and false. */
bool eduvpn_refuse_value(struct eduvpn *edu, const char *name);

/* Asks provision. */
err_t eduvpn_ask(struct eduvpn *edu, const char *method, const ProtobufCMessage *message,
	const void **reply) MUST_CHECK;

/* What no operation has words for. */
void eduvpn_refuse(struct eduvpn *edu, err_t err);

/* Is it among those that the profile offers? */
bool eduvpn_offers(const Provision__Profile *profile, const char *protocol);

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
