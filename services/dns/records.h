/*
 * records: which records a holding of a zone has. Pure: what the database knows comes in as a
 * struct holding, what the operator chose as a struct records_settings. Any thread.
 *
 *     LABEL.ZONE                  A, AAAA, HTTPS, CAA; TXT for acme-dns
 *     local.LABEL.ZONE            A, AAAA of the device in its own network
 *     _acme-challenge.LABEL.ZONE  TXT
 */
#pragma once

#include "lib/mem.h"
#include "services/dns/domain.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORDS_ADDRESSES_MAX	8
#define RECORDS_TTL_S		60
#define RECORDS_NEGATIVE_TTL_S	5 /* how long others may remember that a name does not exist */
#define RECORDS_CHALLENGE_TTL_S 1

/* PowerDNS 4.7 can't read a CAA record whose value has more than 255 bytes:
 * "AUTHORITY; accounturi=ACCOUNT". */
#define RECORDS_ACCOUNT_MAX   180
#define RECORDS_AUTHORITY_MAX 60

struct records_extra { /* of the operator's own (services/dns/extra.h) */
	char owner[DOMAIN_LEN];
	const char *type, *content;
};

struct records_settings {
	char server[DOMAIN_LEN];   /* host name of the name server */
	char address[ADDRESS_LEN]; /* of it, for zones that hold its name */
	char members_zone[DOMAIN_LEN];
	char names_zone[DOMAIN_LEN];			 /* of the fleet, for registrations */
	char tunnel[RECORDS_ADDRESSES_MAX][ADDRESS_LEN]; /* where names with a tunnel are found */
	size_t n_tunnel;
	atomic_uint away;	     /* which of `tunnel` are left out, by bits (edges.h) */
	struct records_extra *extra; /* in the zone of names */
	size_t n_extra;
	const char *caa; /* domains of the authorities that may issue, blank-separated */
};

enum holding_kind { HOLDING_MEMBER, HOLDING_TUNNEL, HOLDING_DYNAMIC, HOLDING_CHALLENGE };

struct holding_challenge {
	const char *value;
	int64_t until_s; /* Unix seconds */
};

/* What the database knows of one name; all text is of one allocation with it. */
struct holding {
	const char *id;
	int zone;	  /* its number */
	const char *name; /* fully qualified */
	enum holding_kind kind;
	bool live;		  /* else it has no records but challenges */
	const char *addresses[2]; /* own ones, "" for none: a member's, or of kind dynamic */
	const char **local_ips;
	size_t n_local_ips;
	const char *account; /* "" or the URI of the ACME account that alone may get certificates */
	struct holding_challenge *challenges;
	size_t n_challenges;
	const char *kite; /* the secret of its kites, "" for none (kite.h) */
};

enum owner { OWNER_SELF, OWNER_LOCAL, OWNER_CHALLENGE };

struct record {
	const char *owner; /* fully qualified, without the last dot */
	const char *type;  /* "": no record, but a name that exists (an empty non-terminal) */
	const char *content;
	int ttl;
	int zone;
};

/* A growing list in an arena, of the records of one type, or of all. */
struct records {
	struct arena *arena;
	const char *type; /* or "ANY" */
	bool of_zone;	  /* all of a zone's, for a transfer */
	int64_t now_s;
	struct record *items;
	size_t n, size;
};

void records_init(struct records *records, struct arena *arena, const char *type, int64_t now_s);
void records_add(struct records *records, int zone, const char *owner, const char *type, int ttl,
	const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Adds those of the holding at that owner. False: the name does not exist there at all now. */
bool records_of(const struct records_settings *settings, const struct holding *holding,
	enum owner owner, struct records *records);

/* Adds those at the top of a zone. */
void records_top(const struct records_settings *settings, int zone, const char *name,
	uint32_t serial, struct records *records);

/* Adds the addresses of the name server, and of api.ZONE, if `name` is one of them, and what the
 * operator has added there. */
bool records_fixed(const struct records_settings *settings, int zone, const char *zone_name,
	bool members, const char *name, struct records *records);

/* Does a name that records_fixed knows end in `name`? */
bool records_fixed_below(const struct records_settings *settings, const char *name);
