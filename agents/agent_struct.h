/* agent_struct: what an agent knows, for agent.c and agent_status.c. */
#pragma once

#include "agents/agent.h"
#include "agents/backoff.h"
#include "agents/session.h"

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

void agent_mac_text(const uint8_t mac[6], char out[18]);
