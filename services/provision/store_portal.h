/*
 * store_portal: the SQL of the portal, on the tables of db/migrations/0010_packages.sql. The rules
 * are those of store.h.
 */
#pragma once

#include "proto/portal.pb-c.h"
#include "services/provision/package.h"
#include "services/provision/portal_state.h"
#include "services/provision/store.h"

/* Makes the tenant's row if there is none, and locks it. Columns of Portal, and ta_key (sealed). */
err_t store_portal_lock(struct call *call, struct db_rows **rows) MUST_CHECK;
/* ALREADY_EXISTS: another tenant has this host. `ta_key` is sealed. */
err_t store_portal_update(struct call *call, const Provision__Portal *portal, const char *ta_key,
	Provision__Portal *reply) MUST_CHECK;

/* ALREADY_EXISTS (serial). */
err_t store_portal_device_create(struct call *call, const char *device, const char *serial,
	bool legacy, Provision__PortalDevice *reply) MUST_CHECK;
err_t store_portal_device_get(
	struct call *call, const char *id, Provision__PortalDevice *reply) MUST_CHECK;
/* As get, and nobody else changes it until the transaction ends. */
err_t store_portal_device_lock(
	struct call *call, const char *id, Provision__PortalDevice *reply) MUST_CHECK;
/* It has a secret of its own from now on. */
err_t store_portal_device_keeps_secret(struct call *call, const char *id) MUST_CHECK;
/* Ends its quarantine. */
err_t store_portal_device_release(struct call *call, const char *id) MUST_CHECK;
/* Removes it and its packages; the device itself stays. */
err_t store_portal_device_forget(struct call *call, const char *id) MUST_CHECK;
err_t store_portal_device_list(struct call *call, const Provision__ListRequest *request,
	Provision__PortalDeviceList *reply) MUST_CHECK;

/* Makes the package the next one of the device, and current, and gives its number. */
err_t store_package_add(struct call *call, const char *device, const struct package *package,
	const char *sealed, const char *password, const char *certificate, int *number) MUST_CHECK;

/* Of any tenant: the devices with this serial that may be meant by one who asks for `host` from
 * `source`, those of the host's tenant first; two at most. With `lock` nobody else changes them or
 * the state of the device. */
err_t store_portal_find(struct call *call, const Provision__PortalRequest *request, bool lock,
	struct db_rows **rows) MUST_CHECK;
/* The state of the device in the first row, which has its columns. */
struct portal_state store_portal_state(const struct db_rows *row, bool approved);
/* Notes that the device asks from another network than before. If it comes back within an interval
 * to the one before that, there are two: it is quarantined. */
err_t store_portal_moved(
	struct call *call, const char *device, const char *source, bool *quarantined) MUST_CHECK;
/* Notes a poll: what was announced, 0 for nothing, and whether it was told to fetch. */
err_t store_portal_polled(
	struct call *call, const char *device, int announced, const char *source) MUST_CHECK;
/* The same for many, of any tenant; those that others are changing just now are left out. */
err_t store_portal_seen(struct call *call, const Provision__NotePollsRequest *request) MUST_CHECK;
err_t store_portal_delivered(struct call *call, const char *device, int number) MUST_CHECK;
err_t store_portal_acknowledged(struct call *call, const char *device) MUST_CHECK;

/* Of all tenants, one row: the number of devices in each state, under its name; legacy; oldest_s.
 */
err_t store_portal_counts(struct call *call, struct db_rows **rows) MUST_CHECK;

/* Sealed files and digests of a package. */
err_t store_package_get(
	struct call *call, const char *device, int number, struct db_rows **rows) MUST_CHECK;

/* One row: devices, approved ones that use a package; ready, those whose ca.crt has this MD5;
 * trust_percent of the portal. */
err_t store_package_trust(struct call *call, const char *md5, struct db_rows **rows) MUST_CHECK;

/* The package whose credentials these are, if it isn't older than the last one that was seen in the
 * VPN: number, good, serials of the certificates before it. Locks the device. */
err_t store_vpn_find(struct call *call, const char *device, const char *password,
	const char *certificate, struct db_rows **rows) MUST_CHECK;
err_t store_vpn_seen(struct call *call, const char *device, int number) MUST_CHECK;
/* The certificates of packages before this one that are still good: serial. */
err_t store_vpn_older(
	struct call *call, const char *device, int number, struct db_rows **rows) MUST_CHECK;
/* Takes back what was never seen in the VPN: tenant, device, number. */
err_t store_vpn_take_back(struct call *call, struct db_rows **rows) MUST_CHECK;
