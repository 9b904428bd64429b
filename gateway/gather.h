/*
 * gather: what only the nodes know: each is asked, at the same time, and one that does not answer
 * in time is left out.
 */
#pragma once

#include "lib/bus.h"
#include "lib/call.h"

#include <protobuf-c/protobuf-c.h>

#include <stddef.h>

/* Asks every node by a method of its service; an answer may be an error. */
err_t gather(struct call *call, const char *rpc, const ProtobufCMessage *message,
	struct bus_answer **answers, size_t *n) MUST_CHECK;

/* Joins lists that the nodes have given, in the order of their items' ids, in `list`, of the same
 * type (items, next_cursor). If it gets longer than `limit`, it is cut, and has a cursor. */
void gather_list(struct call *call, const struct bus_answer *answers, size_t n, size_t limit,
	ProtobufCMessage *list);
