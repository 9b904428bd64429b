/* backoff: see backoff.h. */
#include "agents/backoff.h"

#include "lib/ws.h"

#define REFRESH_PERCENT 75 /* of the token's life, and up to REFRESH_SPREAD more */
#define REFRESH_SPREAD	10

#define HTTP_UNAUTHORIZED 401
#define HTTP_FORBIDDEN	  403
#define WS_STATUS_POLICY  1008 /* how a node ends a session that is no longer allowed */

int64_t backoff_delay_ms(unsigned failures, uint32_t random)
{
	int64_t whole = BACKOFF_LIMIT_MS;

	if (failures < 16 && BACKOFF_FIRST_MS << failures < BACKOFF_LIMIT_MS)
		whole = BACKOFF_FIRST_MS << failures;
	return whole / 2 + random % (whole / 2 + 1);
}

int64_t backoff_retry_ms(struct backoff *backoff, uint32_t random)
{
	return backoff_delay_ms(backoff->failures++, random);
}

static bool is_token_refused(const struct ending *ending)
{
	if (ending->how == END_REFUSED)
		return ending->status == HTTP_UNAUTHORIZED || ending->status == HTTP_FORBIDDEN;
	return ending->how == END_CLOSED && ending->status == WS_STATUS_POLICY;
}

/* The node said that it goes away, or restarts: others are there, or it will be soon. */
static bool is_leave(const struct ending *ending)
{
	return ending->how == END_CLOSED &&
	       (ending->status == WS_STATUS_GOING_AWAY || ending->status == WS_STATUS_RESTART);
}

struct plan backoff_plan(
	struct backoff *backoff, const struct ending *ending, unsigned n_urls, uint32_t random)
{
	struct plan plan = { .attach = is_token_refused(ending) };

	if (ending->lasted_ms >= BACKOFF_GOOD_MS)
		backoff->failures = 0;
	if (ending->lasted_ms == 0 && !plan.attach && ++backoff->url < n_urls)
		return plan;
	backoff->url = 0;
	if (is_leave(ending) && backoff->failures == 0)
		backoff->failures++;
	else
		plan.delay_ms = backoff_retry_ms(backoff, random);
	return plan;
}

int64_t backoff_refresh_ms(int64_t lifetime_ms, uint32_t random)
{
	return lifetime_ms * REFRESH_PERCENT / 100 +
	       random % (lifetime_ms * REFRESH_SPREAD / 100 + 1);
}

enum keepalive keepalive_look(
	int64_t now_ms, int64_t heard_ms, int64_t pinged_ms, bool answers, int64_t *next_ms)
{
	int64_t quiet_ms = pinged_ms > heard_ms ? pinged_ms : heard_ms;
	bool ping = now_ms - quiet_ms >= KEEPALIVE_PING_MS;

	if (answers && now_ms - heard_ms >= KEEPALIVE_DEAD_MS)
		return KEEPALIVE_DEAD;
	*next_ms = (ping ? now_ms : quiet_ms) + KEEPALIVE_PING_MS;
	if (answers && *next_ms > heard_ms + KEEPALIVE_DEAD_MS)
		*next_ms = heard_ms + KEEPALIVE_DEAD_MS;
	return ping ? KEEPALIVE_PING : KEEPALIVE_WAIT;
}
