/*
 * keepalive: see keepalive.h.
 */
#include "dataplane/relay/keepalive.h"

#include "dataplane/dataplane.h"
#include "lib/clock.h"

#define PINGS_MAX 3 /* without an answer */

static uint64_t bytes_of(const struct guest *guest)
{
	return guest->relay.end.rx_bytes + guest->relay.end.tx_bytes;
}

void keepalive_begin(struct guest *guest)
{
	int64_t now = clock_ms();

	guest->alive = (struct keepalive){ bytes_of(guest), now, now, now };
}

static bool is_idle(struct guest *guest, int64_t now, int64_t limit_ms)
{
	struct keepalive *alive = &guest->alive;

	if (alive->bytes != bytes_of(guest)) {
		alive->bytes = bytes_of(guest);
		alive->moved_ms = now;
	}
	return limit_ms > 0 && now - alive->moved_ms >= limit_ms;
}

/* Since anything came from it that could have come. */
static int64_t silence_of(struct guest *guest, int64_t now)
{
	struct end *end = &guest->relay.end;
	int64_t silence = (int64_t)end->transport->silence_ms(end);

	if (relay_is_held(&guest->relay) || !pipe_is_empty(&end->out))
		guest->alive.excused_ms = now;
	return silence < now - guest->alive.excused_ms ? silence : now - guest->alive.excused_ms;
}

static void check_silence(struct guest *guest, int64_t now, int64_t ping_ms)
{
	struct end *end = &guest->relay.end;
	int64_t silence;

	if (ping_ms == 0 || !end->transport->ping)
		return;
	silence = silence_of(guest, now);
	if (silence >= PINGS_MAX * ping_ms) {
		end_close(end, WS_STATUS_GOING_AWAY, "the client does not answer");
	} else if (silence >= ping_ms && now - guest->alive.pinged_ms >= ping_ms) {
		guest->alive.pinged_ms = now;
		end->transport->ping(end);
	}
}

void keepalive_check(struct guest *guest)
{
	const struct dataplane *dataplane = guest_dataplane(guest);
	int64_t now = clock_ms();

	if (guest->relay.end.state != END_OPEN)
		return;
	if (is_idle(guest, now, dataplane->pair_idle_s * INT64_C(1000)))
		guest->hooks->ended(guest, WS_STATUS_NORMAL, "the pair was idle");
	else
		check_silence(guest, now, dataplane->pair_ping_s * INT64_C(1000));
}
