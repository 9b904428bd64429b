/*
 * refused: credentials that were wrong a moment ago, so that their next attempts are refused in the
 * handshake and cost no other service anything. Keeps keyed digests only, in a table of fixed size
 * where a newer entry may push out an older one. The loop's thread.
 */
#pragma once

#include <stdint.h>

#define REFUSED_KEEP_MS 30000

struct refused;

struct refused *refused_create(void);
void refused_destroy(struct refused *refused); /* NULL is fine */

/* Remembers the HTTP status that the header (and the network that was asked for, "" for any) is to
 * be refused with. */
void refused_add(struct refused *refused, const char *header, const char *network, int status,
	int64_t now_ms);

/* That status while it is remembered, else 0. */
int refused_find(
	const struct refused *refused, const char *header, const char *network, int64_t now_ms);
