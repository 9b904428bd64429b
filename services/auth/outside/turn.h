/*
 * turn: whoever asks somebody outside the fleet waits in a worker for an answer that may not come.
 * So only some do at once, and of one tenant only some of those: a tenant whose provider is slow
 * delays nobody else. Any thread.
 */
#pragma once

#include "lib/call.h"

/* RESOURCE_EXHAUSTED: too many wait already. */
err_t turn_take(struct call *call) MUST_CHECK;

/* Gives back a turn of the call's tenant. */
void turn_give(struct call *call);
