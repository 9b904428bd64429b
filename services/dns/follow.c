/* follow: see follow.h. */
#include "services/dns/follow.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/svc.h"
#include "lib/worker.h"
#include "services/dns/store_follow.h"
#include "services/dns/store_zone.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS	   2000
#define RETRY_MS   1000
#define TIMEOUT_MS 30000

static struct metric holdings = { .name = "lanyard_dns_names",
	.help = "Names that are answered from memory.",
	.type = METRIC_GAUGE };
static struct metric zones = { .name = "lanyard_dns_zones",
	.help = "Zones that are answered from memory.",
	.type = METRIC_GAUGE };
static struct metric age = { .name = "lanyard_dns_read_timestamp_seconds",
	.help = "When what is in memory was last known to be what the database has.",
	.type = METRIC_GAUGE };

struct follow {
	struct svc *svc;
	struct directory *directory;
	struct worker *worker;
	pthread_mutex_t mutex; /* guards all below */
	struct db *db;
	uint64_t next;
	bool failing;
};

struct look {
	struct follow *follow;
	struct store_changes changes;
};

/* A database with younger transactions than it had is another one: everything is read anew. */
static err_t read_changes(struct call *call, void *arg)
{
	struct look *look = arg;
	err_t err;

	store_changes_finish(&look->changes);
	err = store_changes_read(call, look->follow->next, &look->changes);
	if (err != OK || look->changes.next >= look->follow->next)
		return err;
	store_changes_finish(&look->changes);
	look->follow->next = 0;
	return store_changes_read(call, 0, &look->changes);
}

static void apply(struct follow *follow, struct store_changes *changes)
{
	struct directory_size size;

	directory_begin(follow->directory);
	if (follow->next == 0)
		directory_clear(follow->directory);
	store_changes_apply(changes, follow->directory);
	directory_end(follow->directory);
	follow->next = changes->next;
	size = directory_size(follow->directory);
	metric_set(&holdings, (int64_t)size.holdings);
	metric_set(&zones, (int64_t)size.zones);
	metric_set(&age, clock_unix_ms() / 1000);
}

static void tell(struct follow *follow, const struct call *call, err_t err)
{
	if (err != OK && !follow->failing)
		log_warn("names_stand_still",
			"error=%s detail=%s action=\"answering from memory, trying again\"",
			err_name(err), log_value(call->fault.detail));
	else if (err == OK && follow->failing)
		log_info("names_go_on", "names=%lld", (long long)holdings.value);
	follow->failing = err != OK;
}

err_t follow_now(struct follow *follow)
{
	struct look look = { .follow = follow };
	struct call call;
	err_t err;

	call_init(&call, svc_bus(follow->svc), "service:dns", TIMEOUT_MS);
	call.tenant = CALL_FLEET;
	pthread_mutex_lock(&follow->mutex);
	if ((err = db_transaction(follow->db, &call, read_changes, &look)) == OK)
		apply(follow, &look.changes);
	tell(follow, &call, err);
	pthread_mutex_unlock(&follow->mutex);
	store_changes_finish(&look.changes);
	svc_ready(follow->svc, "names",
		directory_is_ready(follow->directory) ? NULL : "the names were not read yet");
	call_finish(&call);
	return err;
}

static int64_t run(void *arg)
{
	return follow_now(arg) == OK ? POLL_MS : RETRY_MS;
}

static void heard(void *context, const char *topic)
{
	struct follow *follow = context;

	if (strcmp(topic, STORE_DOORBELL) == 0)
		worker_wake(follow->worker);
}

struct follow *follow_start(struct svc *svc, struct directory *directory)
{
	struct follow *follow = xcalloc(1, sizeof(*follow));

	metric_register(&holdings);
	metric_register(&zones);
	metric_register(&age);
	follow->svc = svc;
	follow->directory = directory;
	follow->db = svc_db_create(svc);
	pthread_mutex_init(&follow->mutex, NULL);
	follow->worker = worker_start(run, follow);
	bus_on_doorbell(svc_bus(svc), heard, follow);
	return follow;
}

void follow_stop(struct follow *follow)
{
	if (follow == NULL)
		return;
	bus_off_doorbell(svc_bus(follow->svc), follow);
	worker_stop(follow->worker);
	db_destroy(follow->db);
	pthread_mutex_destroy(&follow->mutex);
	free(follow);
}
