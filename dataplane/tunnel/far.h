/*
 * far: a visitor that comes from another node, whose words about it go with the link's offer
 * (relay/link.h). The loop's thread.
 */
#pragma once

#include "dataplane/tunnel/boxes.h"

#define FAR_TEXT_MAX 128

/* What the other node is to be told. */
void far_write(const struct box_visitor *visitor, char text[FAR_TEXT_MAX]);

/* Gives the visitor of which another node told `text` a place at the box with that connection;
 * NULL: the box is gone or full, or the text is none. */
struct relay_end *far_enter(
	struct boxes *boxes, const char *connection, const char *text, const char *address);
