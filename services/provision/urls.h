/*
 * urls: where devices reach the dataplane, from the setting LANYARD_DATAPLANE_URLS. Read once at
 * start, then only looked at, from any thread.
 */
#pragma once

#include "lib/err.h"

#include <stddef.h>

#define URLS_MAX 8

struct urls {
	char *list[URLS_MAX]; /* malloc'ed, for the life of the process */
	size_t n;
};

/* Reads 1 to URLS_MAX comma-separated URLs, each "wss://..." of printable ASCII. On error `urls` is
 * empty and `fault` says what was expected. */
err_t urls_init(struct urls *urls, const char *text, struct fault *fault) MUST_CHECK;
void urls_finish(struct urls *urls);
