/* settings: what a tenant tells its agents in a package. Pure, any thread. */
#pragma once

#include "lib/call.h"

/* Refuses, on the field agent_settings, a text that is neither empty nor JSON of AgentSettings.
 * None of them starts a program: whoever may change them does not own the devices. */
err_t settings_check(struct call *call, const char *text) MUST_CHECK;
