/*
 * guard: what a port may say about addresses, and the answers that the node gives in the place of
 * those who have them. The loop's thread.
 */
#pragma once

#include "dataplane/switch/domain.h"
#include "dataplane/switch/inspect.h"

/* Puts the port's addresses into its network, or takes them out. */
void guard_add(struct port *port);
void guard_remove(struct port *port);

/* NULL, or why the port may not send the frame (static text). `source` is the frame's. */
const char *guard_refuses(struct port *port, const struct inspected *inspected, uint64_t source);

/* Answers a question about an address of a member to the port that asked. False: it is none, or
 * nobody is known to have the address. */
bool guard_answer(
	struct port *port, const struct inspected *inspected, uint64_t source, int64_t now_ms);
