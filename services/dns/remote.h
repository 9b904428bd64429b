/*
 * remote: the protocol of PowerDNS' remote backend: one JSON object a line asks,
 * {"method": "lookup", "parameters": {...}}, and one a line answers, {"result": ...}. With token.c
 * and lib/json.c the only code that sees jansson.
 */
#pragma once

#include "lib/err.h"
#include "lib/mem.h"
#include "services/dns/zone.h"

#include <stddef.h>

/* Where entries come from; belongs to one connection. */
struct remote_source {
	err_t (*find)(void *context, const char *relative, struct zone_entry *entry);
	void *context;
};

/*
 * Answers one line (without its line feed) with one (without it too), in the arena. What is
 * malformed or not offered is answered {"result":false}. An entry that can't be had now is answered
 * without a result: PowerDNS 4.7 then says SERVFAIL, while "result":false would make it say REFUSED
 * or that the name does not exist.
 */
const char *remote_answer(const struct zone *zone, const struct remote_source *source,
	const char *line, size_t len, struct arena *arena);
