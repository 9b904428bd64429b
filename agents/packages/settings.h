/* settings: what lanyard up reads from the agent.json of a package. Over memory, but for the file.
 */
#pragma once

#include "lib/err.h"

struct settings {
	char network[64], interface[16], congestion[33], proxy[256]; /* "": not told */
};

/* Unknown members are ignored: they may be for a newer agent. */
err_t settings_read(struct settings *settings, const char *path, struct fault *fault) MUST_CHECK;
