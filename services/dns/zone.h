/*
 * zone: which records each name of the zone has. Pure: what the database knows of a name comes in
 * as a struct zone_entry. Below the zone are the names DEVICE.NETWORK.TENANT of members, perhaps
 * the name server itself, and the names above those, which exist without a record of their own.
 */
#pragma once

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZONE_NAME_MAX	 61  /* with three labels of 63 below it, a name stays under 253 bytes */
#define ZONE_TEXT_LEN	 254 /* a name as text without its last dot, with its NUL */
#define ZONE_ADDRESS_LEN 46

#define ZONE_TTL_S	    60
#define ZONE_NEGATIVE_TTL_S 5 /* how long others may remember that a name does not exist */

/* Fixed once made. */
struct zone {
	char name[ZONE_NAME_MAX + 1];
	char server[ZONE_TEXT_LEN]; /* host name of the name server */
	char address[ZONE_ADDRESS_LEN];
	char server_relative[ZONE_TEXT_LEN]; /* below the zone, "" at its top */
	bool server_inside;		     /* else server_relative says nothing */
};

/* What the database knows of a name. */
struct zone_entry {
	uint32_t serial; /* of the zone */
	bool is_name;
	char ipv4[ZONE_ADDRESS_LEN]; /* "": none */
	char ipv6[ZONE_ADDRESS_LEN];
	bool is_above; /* names end in it */
};

struct zone_record {
	const char *type; /* "": no record, but a name that exists (an empty non-terminal) */
	char content[640];
};

struct zone_answer {
	struct zone_record records[6];
	size_t n;
};

/* Checks and copies the settings; an empty `server` becomes ns1 of the zone. Of a wrong one the
 * fault names the setting: ERR_INVALID_ARGUMENT. */
err_t zone_init(struct zone *zone, const char *name, const char *server, const char *address,
	struct fault *fault) MUST_CHECK;

/* Takes the zone off a name in any case, with or without a last dot: "a.n.t", "" for the zone
 * itself. False if the name is not in the zone, or no name that could be there. */
bool zone_relative(const struct zone *zone, const char *name, char relative[ZONE_TEXT_LEN]);

/* Does the answer about the records of `type` (or "ANY") depend on the database? */
bool zone_asks(const char *relative, const char *type);

/* The records of that type (or "ANY") of a name; `entry` is zeroed if zone_asks says no. */
void zone_answer(const struct zone *zone, const char *relative, const char *type,
	const struct zone_entry *entry, struct zone_answer *answer);
