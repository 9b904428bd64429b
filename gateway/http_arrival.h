/*
 * http_arrival: replies whose bodies count only when they were received: the last byte is kept back
 * until the client has all before it and the reply's `arrived` agrees. Part of http, in whose
 * threads it runs.
 */
#pragma once

#include "gateway/arrivals.h"
#include "gateway/crew.h"
#include "gateway/http.h"

#include <microhttpd.h>

enum http_arrival_state { ARRIVAL_OPEN, ARRIVAL_KEPT_BACK, ARRIVAL_AGREED, ARRIVAL_CUT };

/* What http fills in, and then what is http_arrival's own. */
struct http_arrival {
	struct MHD_Connection *connection;
	struct http_reply *reply;
	struct arrivals *arrivals;
	struct crew *crew;
	struct job *job; /* that calls http_arrival_ask and resumes the connection */

	struct arrival arrival;
	enum http_arrival_state state;
};

/* The response that sends the body, all of it or less. */
struct MHD_Response *http_arrival_response(struct http_arrival *arrival);

/* In a worker: asks whether the last byte may go. */
void http_arrival_ask(struct http_arrival *arrival, struct call *call);
