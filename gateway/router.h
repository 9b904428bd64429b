/*
 * router: endpoints as rows of tables, and the search for the one that a request means.
 */
#pragma once

#include "gateway/target.h"
#include "lib/err.h"

#include <protobuf-c/protobuf-c.h>

#include <stddef.h>

struct api_request;

#define ROUTE_PARAMETERS_MAX 2
#define ROUTE_ALLOW_LEN	     64

enum route_flags {
	ROUTE_FLEET = 1 << 0,	    /* for principals of the fleet tenant only */
	ROUTE_REPEATABLE = 1 << 1,  /* a write that may run twice: needs no idempotency key */
	ROUTE_COSTLY = 1 << 2,	    /* counts as many requests against its caller's limit */
	ROUTE_FORM = 1 << 3,	    /* its body is application/x-www-form-urlencoded */
	ROUTE_CSV = 1 << 4,	    /* its body is text/csv */
	ROUTE_PKCS10 = 1 << 5,	    /* its body is application/pkcs10 */
	ROUTE_BASIC = 1 << 6,	    /* its clients wait to be asked for HTTP Basic */
	ROUTE_CERTIFICATE = 1 << 7, /* a device's certificate is a credential for it */
};

#define ROUTE_ANYONE "*" /* as a scope: whoever is authenticated */

/* One endpoint: one row. A row whose method is NULL ends a table. */
struct route {
	const char *method;
	const char *path;  /* "/v1/tenants/{tenant}/networks/{id}" */
	const char *scope; /* what the caller needs; NULL: no authentication */
	const ProtobufCServiceDescriptor *service; /* the bus call that does it, NULL if */
	const char *rpc;			   /* `handler` does without */
	const char *query; /* names of its query parameters, separated by blanks; NULL: none */
	int status;	   /* of success; 0: 200 */
	unsigned flags;
	/* Does it where the generic way (api_forward) can't; NULL: the generic way. */
	err_t (*handler)(struct api_request *request);
};

struct route_match {
	const struct route *route;
	struct parameter parameters[ROUTE_PARAMETERS_MAX]; /* of the path; names end at their '}' */
	size_t n_parameters;
	char allow[ROUTE_ALLOW_LEN]; /* methods of the path, when none is that of the request */
};

/* Finds the row for method and path in the NULL-terminated list of tables. ERR_NOT_FOUND: no such
 * path, ERR_UNIMPLEMENTED: not with this method. */
err_t router_match(const struct route *const tables[], const char *method,
	const struct target *target, struct route_match *match) MUST_CHECK;

/* The path parameter `name`; NULL if the path has none of that name. */
const char *route_parameter(const struct route_match *match, const char *name);
