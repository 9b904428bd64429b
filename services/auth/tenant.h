/*
 * tenant: the end of organisations. One that is deleted is kept for a time of grace, in which it
 * can be made active again; then every service erases what it has of it (lib/erasure), and last of
 * all it goes itself.
 */
#pragma once

#include "lib/call.h"

/* Once, before the first thread: how long a deleted tenant is kept. */
void tenant_open(long hours);

/* A task: begins and finishes the end of those whose time is over. */
err_t tenant_end(struct call *call) MUST_CHECK;
