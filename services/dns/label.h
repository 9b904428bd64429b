/*
 * label: which labels may be registered, and other texts from strangers. All return OK or
 * ERR_INVALID_ARGUMENT with the field and what was expected. Any thread.
 */
#pragma once

#include "lib/call.h"
#include "services/dns/domain.h"

/* Brings a label into its canonical form: without blanks around it, in lower case. Refused: what is
 * no label of letters, digits and inner dashes, "ns" and digits, what `reserved` (words separated
 * by blanks) names, what begins with "xn--", and what makes too long a name with the zone, or with
 * "_acme-challenge" before it. */
err_t label_check(struct call *call, const char *text, const char *zone, const char *reserved,
	char label[LABEL_LEN]) MUST_CHECK;

/* One mail address, LOCAL@DOMAIN, of at most 254 bytes: nothing that a header could be made of. */
err_t label_check_email(struct call *call, const char *email) MUST_CHECK;

/* IP addresses separated by commas, of private networks only unless `public_too`; as a list of
 * PostgreSQL. */
err_t label_check_addresses(
	struct call *call, const char *text, bool public_too, const char **list) MUST_CHECK;

/* An IP address, or "" for what is none: what PowerDNS and proxies tell may have a "%eth0". */
const char *label_address(struct call *call, const char *text);
