/*
 * document: the JSON objects that the agent reads and writes (portal's replies, state files,
 * status). Unknown members are ignored, so that an old agent understands a newer portal; duplicate
 * ones are an error.
 */
#pragma once

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>

void document_free_at(json_t **document);
#define AUTO_DOCUMENT __attribute__((cleanup(document_free_at))) json_t *

/* The JSON object in `text`; NULL if it is none. */
json_t *document_read(const char *text, size_t len);

/* Copies a member that is a string of `min` to size - 1 bytes, all of them in `alphabet` (NULL:
 * any). False if it is not that; `out` is then as it was. */
bool document_text(const json_t *document, const char *member, const char *alphabet, size_t min,
	char *out, size_t size);
