/* homes: the handlers of proto/home.proto, as provision.h. */
#pragma once

#include "lib/call.h"
#include "proto/home.pb-c.h"

err_t hold_homes(struct call *call, const Provision__HoldHomesRequest *request,
	Provision__HomeList *reply) MUST_CHECK;
err_t hand_over_homes(struct call *call, const Provision__HandOverHomesRequest *request,
	Provision__HomeList *reply) MUST_CHECK;
