/*
 * link_end: the sealed connection of a link (link.h) as an end of a relay. The loop's thread.
 */
#pragma once

#include "dataplane/relay/relay.h"
#include "lib/sealer.h"

#define LINK_ID_LEN   16
#define LINK_KEYS_LEN (2 * SEALER_SECRET_LEN)

/* Waits on an accepted stream for the id of the link, and calls `came`, which returns what it made
 * of the stream, or NULL if it knows no such link: then the stream closes. */
void link_end_await(struct stream *stream,
	struct relay_end *(*came)(
		void *context, struct stream *stream, const uint8_t id[LINK_ID_LEN]),
	void *context);

/* The end of the one who was connected to. */
struct relay_end *link_end_accept(struct stream *stream, const uint8_t keys[LINK_KEYS_LEN]);

/* The end of the one who connected; takes the socket. */
struct relay_end *link_end_connect(struct streams *streams, int fd, const uint8_t id[LINK_ID_LEN],
	const uint8_t keys[LINK_KEYS_LEN]);
