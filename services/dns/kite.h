/*
 * kite: how a client of PageKite shows that it has the secret of a name, without telling it: a
 * signature, checked for a front end of ours (method CheckKite) or, in the DNS, for others'. They
 * ask for the address of
 *
 *     SALT.CHALLENGE.SIGNATURE.PROTOCOL.NAME.ZONE    (NAME ends with the zone's name too)
 *
 * Pure. The secret is the token of the name.
 */
#pragma once

#include "services/dns/domain.h"

#include <stdbool.h>

#define KITE_SECRET_LEN 37 /* a UUID with its NUL */

/* What addresses mean to a front end of PageKite. */
#define KITE_GOOD    "255.255.254.255" /* as much as it likes */
#define KITE_UNKNOWN "255.255.255.0"
#define KITE_WRONG   "255.255.255.1"

struct kite { /* normalised as a domain name, but for lengths: whatever the client said */
	const char *protocol, *name, *salt, *challenge, *signature;
};

/* The parts of such a question of a zone, in `buf`; false: it is none. */
bool kite_read(const char *question, const char *zone, char buf[DOMAIN_LEN], struct kite *kite);

/* Did who knows the secret sign it? An empty secret signs nothing. */
bool kite_check(const struct kite *kite, const char *secret);
