/* portal_gauges: see portal_gauges.h. Counted by the instance that has the task's turn. */
#include "services/provision/portal_gauges.h"

#include "lib/db.h"
#include "lib/metrics.h"
#include "services/provision/store_portal.h"

#define GAUGE(word)                                                                                \
	{                                                                                          \
		.name = "lanyard_portal_devices", .help = "portal devices, by state",              \
		.labels = "state=\"" word "\"", .type = METRIC_GAUGE                               \
	}

/* In the order of the columns' names. */
static const char *const states[] = { "disabled", "pending", "delivered", "enabled", "connected",
	"quarantined" };
static struct metric devices[] = { GAUGE("disabled"), GAUGE("pending"), GAUGE("delivered"),
	GAUGE("enabled"), GAUGE("connected"), GAUGE("quarantined") };

static struct metric legacy = {
	.name = "lanyard_portal_legacy_devices",
	.help = "portal devices whose password anybody can compute",
	.type = METRIC_GAUGE,
};

static struct metric oldest = {
	.name = "lanyard_portal_oldest_update_seconds",
	.help = "age of the oldest package that was delivered and not acknowledged",
	.type = METRIC_GAUGE,
};

void portal_gauges_open(void)
{
	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		metric_register(&devices[i]);
	metric_register(&legacy);
	metric_register(&oldest);
}

err_t portal_gauges_count(struct call *call)
{
	AUTO_ROWS row = NULL;
	err_t err = store_portal_counts(call, &row);

	if (err != OK)
		return err;
	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		metric_set(&devices[i], db_int(row, 0, states[i]));
	metric_set(&legacy, db_int(row, 0, "legacy"));
	metric_set(&oldest, db_int(row, 0, "oldest_s"));
	return OK;
}
