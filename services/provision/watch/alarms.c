/* alarms: see alarms.h. */
#include "services/provision/watch/alarms.h"

#include "lib/log.h"
#include "lib/metrics.h"
#include "services/provision/audit/audit.h"
#include "services/provision/watch/scan.h"
#include "services/provision/watch/store_watch.h"

static struct metric scans = {
	.name = "lanyard_portal_scans_total",
	.help = "times that serial numbers were tried from many addresses",
	.type = METRIC_COUNTER,
};

static struct metric legacy_days = {
	.name = "lanyard_portal_legacy_days_left",
	.help = "days until the first tenant with devices that need it takes MD5(serial) no more",
	.type = METRIC_GAUGE,
};

void alarms_open(void)
{
	metric_register(&scans);
	metric_register(&legacy_days);
}

/* Of an unknown serial number nobody can tell whose it might be: it concerns the tenants that have
 * the nearest ones. */
static err_t tell_scan(struct call *call)
{
	char serial[SCAN_SERIAL_SIZE];
	AUTO_ROWS rows = NULL;
	unsigned addresses;
	err_t err;

	if (!scan_take(&addresses, serial))
		return OK;
	metric_add(&scans, 1);
	log_warn("portal_scan",
		"addresses=%u serial=%s"
		" action=\"turn off legacy passwords, or give tenants a host of their own\"",
		addresses, log_value(serial));
	err = store_watch_near(call, serial, &rows);
	for (size_t i = 0; err == OK && i < db_count(rows); i++) {
		call->tenant = db_text(rows, i, "tenant");
		err = AUDIT(call, "portal.scanned", .before = serial,
			.after = arena_printf(call->arena, "%u addresses", addresses));
		call->tenant = CALL_FLEET;
	}
	return err;
}

static err_t tell_legacy(struct call *call)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_watch_legacy(call, &rows);

	for (size_t i = 0; err == OK && i < db_count(rows); i++) {
		call->tenant = db_text(rows, i, "tenant");
		log_warn("legacy_ends",
			"tenant=%s devices=%s until=%s"
			" action=\"replace these devices, or extend legacy_until\"",
			call->tenant, db_text(rows, i, "devices"), db_text(rows, i, "until"));
		err = AUDIT(call, "portal.legacy_ends", .before = db_text(rows, i, "devices"),
			.after = db_text(rows, i, "until"));
		call->tenant = CALL_FLEET;
	}
	return err;
}

static err_t count_days(struct call *call)
{
	AUTO_ROWS row = NULL;
	err_t err = store_watch_legacy_days(call, &row);

	if (err == OK)
		metric_set(&legacy_days, db_int(row, 0, "days"));
	return err;
}

err_t alarms_tell(struct call *call)
{
	err_t err;

	if ((err = tell_scan(call)) != OK || (err = tell_legacy(call)) != OK)
		return err;
	return count_days(call);
}
