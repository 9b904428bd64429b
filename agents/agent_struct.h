/* agent_struct: what an agent knows, for agent.c and agent_status.c. */
#pragma once

#include "agents/agent.h"
#include "agents/backoff.h"
#include "agents/session.h"

/* A node that stops asks its agents to move (agent_move.c). */
struct move {
	struct session *next; /* that is being opened */
	struct session *last; /* in whose place the agent's session has come */
	struct url url;	      /* of the next one */
	unsigned tries, hops;
	struct loop_timer timer; /* begin, or try again */
	struct loop_timer close; /* the last one */
};

struct agent {
	struct agent_options options;
	struct fetcher *fetcher;
	enum state { ATTACHING, PREPARING, CONNECTING, CONNECTED, WAITING, STOPPING } state;
	struct attachment attachment;
	bool attached; /* the attachment is filled and on the interface */
	bool prepared; /* the first hook has done its work */
	bool refresh;  /* get a new attachment before the next connection */
	int64_t token_ends_ms;
	struct fetch *fetch;	 /* of an attachment; NULL: none is under way */
	struct session *session; /* NULL: none */
	struct url url;		 /* of the session */
	struct move move;	 /* to another session, while this one goes on */
	unsigned hops;
	struct backoff backoff;
	struct loop_timer retry; /* WAITING: then connect */
	struct loop_timer renew; /* CONNECTED: then get the next token */
	int64_t connected_at_s;	 /* Unix time */
	uint64_t sessions;	 /* opened since the start */
	char problem[256];	 /* the last one; "" if there was none */
	int64_t problem_at_s;
	bool problem_told; /* it is in the log, and still lasts */
};

/* Begins to connect to the URL, with all that the attachment says. */
struct session *agent_dial(struct agent *agent, const struct url *url);

/* Follows a node that said where to go instead of `from`; false if it didn't, or there is no end of
 * it. */
bool agent_follow(
	struct agent *agent, const struct session_end *end, struct url *url, unsigned *hops);

/* ---- agent_move.c ---- */

void move_init(struct agent *agent);

/* The node of the session wants it. */
void move_begin(struct agent *agent, uint32_t window_ms);

/* The next session is open: it is the agent's from now on. */
void move_opened(struct agent *agent);

/* A session of the move has ended; false: it is none. */
bool move_ended(struct agent *agent, struct session *session, const struct session_end *end);

/* The agent's session has ended: the next one, if there is one, is the agent's, open or not. */
bool move_takes_over(struct agent *agent);

/* Gives up what is under way, at once. */
void move_finish(struct agent *agent);

void agent_mac_text(const uint8_t mac[6], char out[18]);
