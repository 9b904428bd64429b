/* store_watch: the SQL of what is watched in all tenants. The rules are those of store.h. */
#pragma once

#include "services/provision/store.h"

/* The tenants that have the serial numbers next to this one, if they begin like it: tenant. */
err_t store_watch_near(struct call *call, const char *serial, struct db_rows **rows) MUST_CHECK;

/* Tenants whose legacy devices come to an end within two weeks, each date once: tenant, devices,
 * until. */
err_t store_watch_legacy(struct call *call, struct db_rows **rows) MUST_CHECK;

/* days, until the first of them; 366 if there is none. */
err_t store_watch_legacy_days(struct call *call, struct db_rows **rows) MUST_CHECK;
