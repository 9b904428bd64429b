/* http_arrival: from the event thread to arrivals when the last byte is due, from there to a
 * worker, and back. */
#include "gateway/http_arrival.h"

#include "lib/clock.h"

#include <stddef.h>
#include <string.h>

#define BLOCK  4096 /* bytes that are sent at once */
#define ASK_MS 5000

static void on_arrival(struct arrival *inner)
{
	struct http_arrival *arrival =
		(struct http_arrival *)((char *)inner - offsetof(struct http_arrival, arrival));

	if (inner->whole) {
		crew_put(arrival->crew, arrival->job);
		return;
	}
	arrival->state = ARRIVAL_CUT;
	MHD_resume_connection(arrival->connection);
}

/* The last byte is asked for when all before it was written. */
static ssize_t on_last(struct http_arrival *arrival, char *room)
{
	if (arrival->state == ARRIVAL_OPEN) {
		arrival->state = ARRIVAL_KEPT_BACK;
		MHD_suspend_connection(arrival->connection);
		arrivals_wait(arrival->arrivals, &arrival->arrival);
		return 0;
	}
	if (arrival->state != ARRIVAL_AGREED)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	*room = arrival->reply->body[arrival->reply->body_len - 1];
	return 1;
}

static ssize_t on_body(void *arg, uint64_t position, char *room, size_t size)
{
	struct http_arrival *arrival = arg;
	size_t n = arrival->reply->body_len - (size_t)position - 1;

	if (n == 0)
		return on_last(arrival, room);
	n = n < size ? n : size;
	memcpy(room, arrival->reply->body + position, n);
	return (ssize_t)n;
}

struct MHD_Response *http_arrival_response(struct http_arrival *arrival)
{
	arrival->arrival.fd =
		MHD_get_connection_info(arrival->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
			->connect_fd;
	arrival->arrival.ready = on_arrival;
	return MHD_create_response_from_callback(
		arrival->reply->body_len, BLOCK, on_body, arrival, NULL);
}

void http_arrival_ask(struct http_arrival *arrival, struct call *call)
{
	struct http_reply *reply = arrival->reply;

	call->deadline_ms = clock_ms() + ASK_MS;
	arrival->state = reply->arrived(call, reply->context) == OK ? ARRIVAL_AGREED : ARRIVAL_CUT;
}
