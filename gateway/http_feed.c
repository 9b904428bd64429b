/* http_feed: from the event thread to feeds when nothing is left to send, and back. */
#include "gateway/http_feed.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 4096 /* bytes that are sent at once */

static void on_ready(struct feeding *feeding)
{
	struct http_feed *http_feed =
		(struct http_feed *)((char *)feeding - offsetof(struct http_feed, feeding));

	MHD_resume_connection(http_feed->connection);
}

/* Gives what the feed has to the client, and when that is all, waits for more. */
static ssize_t on_body(void *arg, uint64_t position, char *room, size_t size)
{
	struct http_feed *http_feed = arg;
	struct feeding *feeding = &http_feed->feeding;
	size_t n = feeding->len - feeding->sent;

	(void)position;
	if (n > 0) {
		n = n < size ? n : size;
		memcpy(room, feeding->text + feeding->sent, n);
		feeding->sent += n;
		peer_step(http_feed->peer);
		return (ssize_t)n;
	}
	if (feeding->over)
		return MHD_CONTENT_READER_END_OF_STREAM;
	MHD_suspend_connection(http_feed->connection);
	feeds_wait(http_feed->feeds, feeding);
	return 0;
}

struct MHD_Response *http_feed_response(
	struct http_feed *http_feed, struct feed *feed, const struct call *call)
{
	http_feed->feeding.feed = feed;
	http_feed->feeding.call = call;
	http_feed->feeding.ready = on_ready;
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, on_body, http_feed, NULL);
}

void http_feed_finish(struct http_feed *http_feed, struct feed *feed)
{
	if (feed != NULL)
		feed->closed(feed);
	free(http_feed->feeding.text);
}
