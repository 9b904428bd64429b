/*
 * node: the process's face towards the other services: what it answers on the bus, and the events
 * that it hears. Both come in threads of the bus and are handed to the loop.
 */
#pragma once

#include "lib/event.h"

#include <protobuf-c/protobuf-c.h>

struct dataplane;

/* Before anything of it is called; keeps the dataplane. */
void node_open(struct dataplane *dataplane);

extern ProtobufCService *const node_services[];
extern const struct event_route node_events[];
