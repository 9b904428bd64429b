/*
 * headers: the header lines of a request that matter here, each at most once, and the checks of
 * framing that libmicrohttpd does not make: where a body ends must never be in doubt.
 */
#pragma once

#include "gateway/status.h"
#include "lib/mem.h"

#include <stddef.h>

#define HEADERS_MAX	   (16 * 1024) /* bytes of all header lines */
#define HEADERS_N_MAX	   100
#define HEADERS_LENGTH_MAX (1024 * 1024) /* a Content-Length above it is not worth reading */

struct headers {
	/* NULL: not there. The values are borrowed. */
	const char *authorization, *content_type, *if_match, *idempotency_key;
	const char *content_length, *transfer_encoding, *host, *last_event_id;
	const char *if_none_match, *if_modified_since, *accept;
	const char *cookie, *origin, *referer, *user_agent;
	const char *real_ip;		/* X-Real-IP: whom a proxy speaks for */
	const char *api_user, *api_key; /* X-Api-User, X-Api-Key: of acme-dns clients */
	size_t len, n;			/* of all lines */
	enum http_status refused;	/* 0, or what is wrong with the first wrong one */
	const char *field, *detail;
};

/* Takes one header line. Those of Accept are one list, however many lines it has (RFC 9110 section
 * 5.3); it is made in the arena. */
void headers_add(struct headers *headers, struct arena *arena, const char *name, const char *value);

/* After the last one: sets `refused` if they can't stand together. */
void headers_check(struct headers *headers);
