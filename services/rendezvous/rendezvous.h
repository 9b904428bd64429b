/*
 * rendezvous: the methods of the rendezvous service (proto/rendezvous.proto) by which people look
 * at pairs, and the task that clears up after pairs. Each runs in the transaction of its call, in a
 * worker of the bus.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"
#include "proto/rendezvous.pb-c.h"

err_t rendezvous_get_pair(
	struct call *call, const Rendezvous__Ref *request, Rendezvous__Pair *pair) MUST_CHECK;
err_t rendezvous_list_pairs(struct call *call, const Rendezvous__ListRequest *request,
	Rendezvous__PairList *list) MUST_CHECK;
err_t rendezvous_close_pair(
	struct call *call, const Rendezvous__Ref *request, Rendezvous__Pair *pair) MUST_CHECK;

err_t rendezvous_list_traffic(struct call *call, const Rendezvous__TrafficRequest *request,
	Rendezvous__TrafficList *list) MUST_CHECK;

/* Tells the nodes to end the pair's connections. */
err_t rendezvous_publish_closed(struct call *call, const char *id) MUST_CHECK;

/* How often rendezvous_sweep is to run. */
#define RENDEZVOUS_SWEEP_S 5

/* A task of the whole fleet: ends waiting pairs that waited too long and joined ones whose node is
 * gone, and removes what was closed long ago. */
err_t rendezvous_sweep(struct call *call) MUST_CHECK;
