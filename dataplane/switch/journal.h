/*
 * journal: what happened lately in the networks of this node, for the event streams of operators.
 * It has room for a fixed number of events; when that is full, the tenant that has the most loses
 * its oldest, so that a noisy one pushes out none of the others'. The loop's thread.
 */
#pragma once

#include "dataplane/switch/frame.h"
#include "lib/uuid.h"
#include "proto/dataplane.pb-c.h"

#include <stdint.h>

#define JOURNAL_ENTRIES	 8192
#define JOURNAL_LIST_MAX 200 /* in one reply */

struct arena;
struct journal;

struct journal_entry {
	const char *kind; /* static text: "session_opened" */
	char tenant[UUID_SIZE], network[UUID_SIZE], member[UUID_SIZE], session[UUID_SIZE];
	char other_member[UUID_SIZE]; /* or "" */
	char mac[FRAME_MAC_TEXT];     /* or "" */
	char detail[96];
	uint32_t n_untold;

	/* journal.c's own */
	struct journal_entry *next; /* shelf.first */
	uint64_t id;		    /* 1, 2, 3 and so on */
	int64_t at_s;
};

struct journal *journal_create(void);
void journal_destroy(struct journal *journal); /* NULL is fine */

/* Copies the entry, at the time `unix_s`. */
void journal_add(struct journal *journal, const struct journal_entry *entry, int64_t unix_s);

/*
 * Lists the entries of the network that come after the cursor of `node` in the request. `last` of
 * the list is the next cursor; `lost` says that some before it were pushed out unseen.
 */
void journal_list(const struct journal *journal, const char *tenant, const char *node,
	const Dataplane__ListNetworkEventsRequest *request, struct arena *arena,
	Dataplane__NetworkEventList *list);
