/*
 * event: what happened, told to every process that has to know.
 *
 * event_publish writes a row of fabric.event in the transaction of the change itself, and rings a
 * doorbell after the commit. Consumers read the rows in commit order: when a doorbell rings, at
 * start, and every few seconds, so a lost doorbell only costs time. A durable consumer (a service
 * with a schema) keeps its place in <schema>.event_cursor in the transaction that applies the
 * event; a recent consumer (gateway, dataplane) starts with the last EVENT_RECENT_S seconds.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"

#include <protobuf-c/protobuf-c.h>

#define EVENT_RECENT_S 4500 /* longer than any access token lives */

/* Queues an event of the call's tenant in its open transaction. `topic` is static. */
err_t event_publish(
	struct call *call, const char *topic, const ProtobufCMessage *message) MUST_CHECK;

/* Rings a doorbell after the commit without an event: for instances of the own service that read
 * again what has changed. `topic` is static. */
void event_doorbell(struct call *call, const char *topic);

/* Rings the doorbells of what the call has published; svc calls it after the commit. */
void event_ring(struct call *call);

struct event_route {
	const char *topic; /* NULL ends the table */
	const ProtobufCMessageDescriptor *descriptor;
	/* Applies one event; call->tenant is the event's. In a durable consumer call->db is open,
	 * and an error rolls back and tries again later; events behind it wait. */
	err_t (*apply)(struct call *call, const ProtobufCMessage *event);
};

struct event_consumer;

struct event_consumer_options {
	const char *database_url; /* kept, as all of these */
	const char *service;	  /* own name */
	const char *schema;	  /* where event_cursor is; NULL: a recent consumer */
	const struct event_route *routes;
	struct bus *bus;
};

/* Starts the thread that follows the events; it takes the bus's doorbells. */
struct event_consumer *event_consumer_start(const struct event_consumer_options *options);
void event_consumer_stop(struct event_consumer *consumer); /* NULL is fine */
