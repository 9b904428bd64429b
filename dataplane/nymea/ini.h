/*
 * ini: nymea-remoteproxy's configuration file, read as QSettings does, turned into our own
 * settings: each key becomes the variable that has the same meaning, unless it is set already. At
 * start, one thread.
 */
#pragma once

#include "lib/err.h"

#include <stddef.h>

#define INI_MAX (64 * 1024) /* bytes of a file */

/* Reads the file's text, which is changed, and calls `set` with each variable and its value; the
 * listening addresses are always among them, since the original's ports have defaults. */
err_t ini_read(char *text, void (*set)(void *context, const char *name, const char *value),
	void *context, struct fault *fault) MUST_CHECK;

/* Reads the file at `path` into the environment, for config_load. */
err_t ini_load(const char *path, struct fault *fault) MUST_CHECK;
