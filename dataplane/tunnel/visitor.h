/*
 * visitor: a connection that came for a registered name: joined with a stream to the device that
 * holds it, here or by a link to the node where that one is. The loop's thread.
 */
#pragma once

#include "dataplane/tunnel/boxes.h"
#include "dataplane/tunnel/outcome.h"

struct dataplane;
struct stream;

struct visit {
	enum mux_kind kind;
	const char *name;
	const char *first; /* text that the device gets before what the visitor sends; NULL: none */
};

/* Takes the stream; what was not taken of it is the device's. All of the visit is copied. */
void visitor_create(struct dataplane *dataplane, struct stream *stream, const struct visit *visit);

/* Takes the stream, tells it that its visit is refused, and closes it. */
void visitor_refuse(struct dataplane *dataplane, struct stream *stream, enum mux_kind kind,
	enum outcome outcome);

/* Takes the stream and joins it with a connection to `endpoint`, of the node's own network. */
void visitor_pass(struct dataplane *dataplane, struct stream *stream, const char *endpoint,
	bool proxy_protocol);

/* Who waits for an answer about its name; NULL: it has gone. */
struct visitors;
struct visitors *visitors_create(void);
void visitors_destroy(struct visitors *visitors); /* when they are gone; NULL is fine */
