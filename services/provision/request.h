/*
 * request: checks that the requests of several handlers need. All return OK or a refusal with
 * call->fault filled.
 */
#pragma once

#include "lib/call.h"
#include "proto/provision.pb-c.h"

#include <stdint.h>

/* The cursor and filters of a list: ids are UUIDs, a name is a label. */
err_t request_check_list(struct call *call, const Provision__ListRequest *request) MUST_CHECK;

/* FAILED_PRECONDITION if the caller wants to change another version than there is; 0 wants any. */
err_t request_check_version(struct call *call, int64_t wanted, int64_t version) MUST_CHECK;
