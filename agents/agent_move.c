/*
 * agent_move: another session in the place of the one that a node wants to be rid of: opened first,
 * so that no frame has to wait. The node of the one before closes it when the member has the next
 * one, and we do if that takes too long.
 */
#include "agents/agent_struct.h"

#include "lib/clock.h"
#include "lib/log.h"

#include <sodium.h>

#define WINDOW_PERCENT 80 /* of the window is for beginning, the rest for trying again */
#define RETRY_MS       100
#define CLOSE_MS       1000

static void try(struct agent *agent)
{
	struct move *move = &agent->move;

	move->next = agent_dial(agent, &move->url);
}

/* Another node, if there are URLs of others; else who shares out connections knows one. */
static void on_time(void *context)
{
	struct agent *agent = context;
	struct move *move = &agent->move;
	unsigned n_urls = agent->attachment.n_urls;

	if (agent->state != CONNECTED || move->next != NULL)
		return;
	move->hops = 0;
	move->url = agent->attachment.urls[(agent->backoff.url + ++move->tries) % n_urls];
	try(agent);
}

static void end_last(struct agent *agent)
{
	session_destroy(agent->move.last);
	agent->move.last = NULL;
	loop_clear_timer(agent->options.loop, &agent->move.close);
}

static void on_close(void *context)
{
	struct agent *agent = context;

	if (agent->move.last != NULL)
		session_close(agent->move.last);
}

void move_init(struct agent *agent)
{
	agent->move.timer = (struct loop_timer){ .fire = on_time, .context = agent };
	agent->move.close = (struct loop_timer){ .fire = on_close, .context = agent };
}

void move_begin(struct agent *agent, uint32_t window_ms)
{
	int64_t spread_ms = (int64_t)window_ms * WINDOW_PERCENT / 100;

	log_info("moving", "interface=%s window_ms=%u", agent->options.tap->name, window_ms);
	agent->move.tries = 0;
	loop_set_timer(agent->options.loop, &agent->move.timer,
		clock_ms() + (int64_t)randombytes_random() % (spread_ms + 1));
}

void move_opened(struct agent *agent)
{
	struct move *move = &agent->move;

	end_last(agent);
	move->last = agent->session;
	if (move->last != NULL) {
		session_retire(move->last);
		loop_set_timer(agent->options.loop, &move->close, clock_ms() + CLOSE_MS);
	}
	agent->session = move->next;
	agent->url = move->url;
	move->next = NULL;
}

bool move_ended(struct agent *agent, struct session *session, const struct session_end *end)
{
	struct move *move = &agent->move;

	if (session == move->last) {
		end_last(agent);
		return true;
	}
	if (session != move->next)
		return false;
	move->next = NULL;
	if (agent_follow(agent, end, &move->url, &move->hops))
		try(agent);
	else
		loop_set_timer(agent->options.loop, &move->timer,
			clock_ms() + RETRY_MS + randombytes_uniform(RETRY_MS));
	session_destroy(session);
	return true;
}

bool move_takes_over(struct agent *agent)
{
	struct move *move = &agent->move;

	if (move->next == NULL)
		return false;
	agent->session = move->next;
	agent->url = move->url;
	agent->hops = move->hops;
	agent->state = CONNECTING;
	move->next = NULL;
	return true;
}

void move_finish(struct agent *agent)
{
	session_destroy(agent->move.next);
	agent->move.next = NULL;
	end_last(agent);
	loop_clear_timer(agent->options.loop, &agent->move.timer);
}
