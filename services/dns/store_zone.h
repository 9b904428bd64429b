/*
 * store_zone: the SQL of zones, their serial numbers, and what PowerDNS keeps with us of them.
 * Every function runs in the call's transaction.
 */
#pragma once

#include "lib/call.h"
#include "proto/dns.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

/* Topic of the doorbell after which every instance reads what has changed. */
#define STORE_DOORBELL "records"

/* Makes a zone of the fleet if it isn't there. */
err_t store_zone_ensure(struct call *call, const char *name, bool open, bool members) MUST_CHECK;

err_t store_zone_create(struct call *call, const char *name, bool open, Dns__Zone *zone) MUST_CHECK;
err_t store_zone_get(struct call *call, const char *id, Dns__Zone *zone) MUST_CHECK;
err_t store_zone_list(
	struct call *call, const Dns__ListRequest *request, Dns__ZoneList *list) MUST_CHECK;
err_t store_zone_delete(struct call *call, const char *id) MUST_CHECK;

/* Something in the zone has changed: its serial rises, and the doorbell rings after the commit. */
err_t store_zone_changed(struct call *call, int zone) MUST_CHECK;
/* The same for all zones that have names with a tunnel. */
err_t store_tunnel_changed(struct call *call) MUST_CHECK;
/* The same for the zone of members' names. */
err_t store_members_changed(struct call *call) MUST_CHECK;

err_t store_zone_notified(struct call *call, int zone, uint32_t serial) MUST_CHECK;

/* ---- DNSSEC and settings ---- */

struct store_key {
	int zone, id, flags;
	bool active, published;
	const char *content;
};

err_t store_key_add(struct call *call, struct store_key *key) MUST_CHECK; /* sets its id */
err_t store_key_remove(struct call *call, const struct store_key *key) MUST_CHECK;
err_t store_key_activate(struct call *call, const struct store_key *key) MUST_CHECK;
err_t store_key_publish(struct call *call, const struct store_key *key) MUST_CHECK;

/* `values` as text[]; empty: the kind is unset. */
err_t store_metadata_set(
	struct call *call, int zone, const char *kind, const char *values) MUST_CHECK;

/* ---- TSIG ---- */

struct store_tsig {
	const char *name, *algorithm, *content;
};

err_t store_tsig_set(struct call *call, const struct store_tsig *key) MUST_CHECK;
err_t store_tsig_delete(struct call *call, const char *name) MUST_CHECK;
/* All keys, or the one of that name; in the arena of the call. */
err_t store_tsig_list(
	struct call *call, const char *name, struct store_tsig **keys, size_t *n) MUST_CHECK;
