/*
 * kite_link: the connection of a client of PageKite, with all its names and their visitors. The
 * loop's thread.
 */
#pragma once

#include "dataplane/tunnel/boxes.h"

#include <stdbool.h>
#include <stddef.h>

struct stream;

/* A name that it flies. */
struct kite_flight {
	struct box opened; /* name, registration, tenant, device, admitted_s */
	bool http, https;
};

/* Takes the stream, says `greeting` (taken, of malloc) and lets visitors of the names (copied) in.
 */
void kite_link_create(struct boxes *boxes, struct stream *stream, char *greeting,
	const struct kite_flight flights[], size_t n);
