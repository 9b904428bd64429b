/*
 * domain: names of the DNS as text, in lower case and without their last dot. No state; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define DOMAIN_LEN  254 /* a name as text without its last dot, with its NUL */
#define LABEL_LEN   64
#define ADDRESS_LEN 46

/* Copies a name of labels of a-z, 0-9, '-' and '_' (or '*' alone as the first) in lower case, with
 * or without a last dot. False if it is none. */
bool domain_normalise(const char *name, char out[DOMAIN_LEN]);

/* What stands before the zone in a normalised name, "" for the zone itself: its length; -1 if the
 * name is not in the zone. */
int domain_prefix(const char *name, const char *zone);

/* The name above: what follows its first dot, NULL if it has none. */
const char *domain_parent(const char *name);

/* Joins to LABEL.NAME; false if that is too long. */
bool domain_join(const char *label, const char *name, char out[DOMAIN_LEN]);

/* Compares in the canonical order of DNSSEC (RFC 4034 section 6.1): label by label from the right.
 */
int domain_compare(const char *a, const char *b);
