/*
 * box_link: a device's link as one WebSocket with many streams in it (lib/mux.h). The loop's
 * thread.
 */
#pragma once

#include "dataplane/tunnel/boxes.h"

#include <stdbool.h>

struct channel;

/* Makes the channel, which was just created, the link of the box that `opened` names (its name,
 * registration, tenant and device; copied). `proxy_protocol`: each stream begins with a header that
 * tells who visits. */
void box_link_create(struct boxes *boxes, struct channel *channel, const struct box *opened,
	bool proxy_protocol);
