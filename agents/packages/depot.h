/*
 * depot: where packages are: DIR/NUMBER is a folder with the files of one, whole or not there at
 * all, and the link DIR/current leads to the one in use. Folders are 0700, files 0600.
 */
#pragma once

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

#define DEPOT_CURRENT "current"

struct depot_file {
	const char *name; /* a plain one */
	const char *text;
	size_t len;
};

/* Adds a package, in the place of one of the same number. */
err_t depot_add(const char *dir, uint32_t package, const struct depot_file files[], unsigned n,
	struct fault *fault) MUST_CHECK;

/* Makes it the one in use, in one step; 0: none is. */
err_t depot_use(const char *dir, uint32_t package, struct fault *fault) MUST_CHECK;

/* Removes all others, and what a killed process left. */
void depot_keep(const char *dir, uint32_t package);
