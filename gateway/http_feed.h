/*
 * http_feed: replies whose bodies go on: what a feed has to send, and then a wait for more. Part of
 * http, in whose event threads it runs.
 */
#pragma once

#include "gateway/feeds.h"
#include "gateway/peers.h"

#include <microhttpd.h>

/* What http fills in, and then what is http_feed's own. */
struct http_feed {
	struct MHD_Connection *connection;
	struct peer *peer;
	struct feeds *feeds;

	struct feeding feeding;
};

/* The response that sends what `feed` has; `call` is that of the request. */
struct MHD_Response *http_feed_response(
	struct http_feed *http_feed, struct feed *feed, const struct call *call);

/* The reply is over. `http_feed` is all zero if it was never begun, `feed` NULL if there is none.
 */
void http_feed_finish(struct http_feed *http_feed, struct feed *feed);
