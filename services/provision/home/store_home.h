/* store_home: the SQL of homes. Runs in the thread and the transaction of the call. */
#pragma once

#include "lib/call.h"
#include "proto/home.pb-c.h"

/* Renews and takes what the node may have of the claims, and tells who has each. */
err_t store_hold_homes(struct call *call, const Provision__HoldHomesRequest *request,
	Provision__HomeList *list) MUST_CHECK;

/* Gives away those that the node has. */
err_t store_hand_over_homes(struct call *call, const Provision__HandOverHomesRequest *request,
	Provision__HomeList *list) MUST_CHECK;
