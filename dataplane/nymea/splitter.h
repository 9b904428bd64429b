/*
 * splitter: finds the documents in a stream of JSON text, as nymea-remoteproxy 1.x does: one ends
 * where `}` LF `{` stands, and where what was received ends with `}` or `}` LF. Holds no memory
 * while nothing waits. The loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPLITTER_MAX 10240 /* bytes of a document that has no end yet */

struct splitter {
	char *text;
	size_t len, capacity;
	size_t given;	/* bytes of documents that were given out */
	size_t scanned; /* there is no border before this */
};

void splitter_finish(struct splitter *splitter); /* zeroed is a good start */

/* Adds what was received. Documents given out before are no longer valid. */
void splitter_add(struct splitter *splitter, const void *data, size_t len);

/* Gives out the next whole document; false: there is none. */
bool splitter_next(struct splitter *splitter, const char **text, size_t *len);

/* After the last document: does more wait for its end than may? */
bool splitter_overflows(const struct splitter *splitter);

/* Gives out all that waits, as it is. */
void splitter_rest(struct splitter *splitter, const char **text, size_t *len);
