/*
 * remote_method: the methods of the remote backend, each from its parameters to its result. For
 * remote only; with it the only code of the service that sees jansson.
 */
#pragma once

#include "services/dns/remote.h"

#include <jansson.h>

enum remote_result {
	REMOTE_RESULT, /* `records` has it */
	REMOTE_FALSE,
	REMOTE_LATER, /* it can't be had now */
};

struct remote_method {
	const char *name; /* as PowerDNS spells it; NULL ends a table */
	/* One of them. Makes the "result", a new reference; NULL: it can't be had now. */
	json_t *(*answer)(
		const struct remote *remote, const json_t *parameters, struct arena *arena);
	/* The result is of records: these questions come by the thousand. */
	enum remote_result (*find)(
		const struct remote *remote, const json_t *parameters, struct records *records);
};

extern const struct remote_method remote_zone_methods[];   /* names, zones, transfers */
extern const struct remote_method remote_secure_methods[]; /* DNSSEC, settings, TSIG */
extern const struct remote_method remote_update_methods[]; /* transactions, dynamic update */

/* The parameter as text, number (PowerDNS sends both) or bool; "", 0, false if it isn't there. */
const char *remote_text(const json_t *parameters, const char *key);
int remote_int(const json_t *parameters, const char *key);
bool remote_bool(const json_t *parameters, const char *key);

/* {"result": [...]} in the arena of the records. */
const char *remote_write(const struct records *records);
