/* file: whole small files. Any thread. */
#pragma once

#include "lib/err.h"

#include <stddef.h>

/* The text, malloc'ed and with a NUL behind it; at most 4 MiB. */
err_t file_read(const char *path, char **text, size_t *len, struct fault *fault) MUST_CHECK;

/* Makes a file that only its owner reads; there must be none yet. */
err_t file_create(const char *path, const char *text, struct fault *fault) MUST_CHECK;

/* Puts the text in the place of the file, whole or not at all. */
err_t file_replace(const char *path, const char *text, struct fault *fault) MUST_CHECK;
