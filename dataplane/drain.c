/* drain: see drain.h. */
#include "dataplane/drain.h"

#include "dataplane/dataplane.h"
#include "dataplane/trunk/trunks.h"
#include "lib/clock.h"
#include "lib/log.h"

#define STEP_MS 100

struct drain {
	struct dataplane *dataplane;
	uv_timer_t timer;
	uv_sem_t over;
	int64_t end_ms;
};

static void on_closed(uv_handle_t *handle)
{
	struct drain *drain = handle->data;

	uv_sem_post(&drain->over);
}

static void on_step(uv_timer_t *timer)
{
	struct drain *drain = timer->data;
	struct dataplane *dataplane = drain->dataplane;
	int64_t left_ms = drain->end_ms - clock_ms();
	unsigned ms = left_ms > 0 ? (unsigned)left_ms : 0;
	unsigned n = sessions_thin_out(dataplane->sessions, STEP_MS, ms) +
		     boxes_thin_out(dataplane->boxes, STEP_MS, ms);

	if ((n > 0 || !trunks_drained(dataplane->trunks)) && left_ms > 0)
		return;
	log_info("drained", "left=%u", n);
	uv_close((uv_handle_t *)timer, on_closed);
}

static void begin(void *arg)
{
	struct drain *drain = arg;
	struct dataplane *dataplane = drain->dataplane;
	uint32_t window_ms = (uint32_t)dataplane->drain_s * 1000;

	log_info("draining", "window_ms=%u", window_ms);
	listener_close(dataplane->listener); /* who comes now finds another node */
	dataplane->listener = NULL;
	front_close(dataplane->front);
	nymea_shut(dataplane->nymea);
	trunks_drain(dataplane->trunks);
	sessions_ask_to_move(dataplane->sessions, window_ms);
	drain->end_ms = clock_ms() + window_ms;
	uv_timer_init(loop_uv(dataplane->loop), &drain->timer);
	drain->timer.data = drain;
	uv_timer_start(&drain->timer, on_step, STEP_MS, STEP_MS);
}

void drain_run(struct dataplane *dataplane)
{
	struct drain drain = { .dataplane = dataplane };

	if (dataplane->drain_s == 0 || bus_count(dataplane->bus, "dataplane") < 2)
		return;
	uv_sem_init(&drain.over, 0);
	if (loop_call(dataplane->loop, begin, &drain))
		uv_sem_wait(&drain.over);
	uv_sem_destroy(&drain.over);
}
