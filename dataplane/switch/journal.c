/*
 * journal: a pool of entries, shared out to shelves, one a tenant. When it is empty, the longest
 * shelf gives up its oldest entry: who makes much noise pushes out its own.
 */
#include "dataplane/switch/journal.h"

#include "lib/call.h"
#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/mem.h"

#include <string.h>

struct shelf {
	UT_hash_handle hh; /* journal.shelves */
	char tenant[UUID_SIZE];
	struct journal_entry *first, **last; /* by id */
	size_t n;
	uint64_t forgotten; /* the newest id that may have been pushed out */
};

struct journal {
	uint64_t last;	    /* the newest id; 0: there is none */
	uint64_t forgotten; /* of shelves that are gone */
	struct shelf *shelves;
	size_t n; /* entries that were ever used */
	struct journal_entry entries[JOURNAL_ENTRIES];
};

struct journal *journal_create(void)
{
	return xcalloc(1, sizeof(struct journal));
}

static void shelf_free(struct journal *journal, struct shelf *shelf)
{
	HASH_DEL(journal->shelves, shelf);
	free(shelf);
}

void journal_destroy(struct journal *journal)
{
	struct shelf *shelf, *next;

	if (!journal)
		return;
	HASH_ITER(hh, journal->shelves, shelf, next)
	{
		shelf_free(journal, shelf);
	}
	free(journal);
}

static struct shelf *shelf_of(struct journal *journal, const char *tenant)
{
	struct shelf *shelf;

	HASH_FIND_STR(journal->shelves, tenant, shelf);
	if (shelf)
		return shelf;
	shelf = xcalloc(1, sizeof(*shelf));
	memcpy(shelf->tenant, tenant, sizeof(shelf->tenant));
	shelf->last = &shelf->first;
	shelf->forgotten = journal->forgotten;
	HASH_ADD_STR(journal->shelves, tenant, shelf);
	return shelf;
}

/* Takes the oldest entry from the longest shelf. */
static struct journal_entry *push_out(struct journal *journal)
{
	struct shelf *longest = journal->shelves;
	struct journal_entry *entry;

	for (struct shelf *shelf = journal->shelves; shelf; shelf = shelf->hh.next)
		if (shelf->n > longest->n)
			longest = shelf;
	entry = longest->first;
	longest->first = entry->next;
	longest->forgotten = entry->id;
	if (--longest->n > 0)
		return entry;
	if (journal->forgotten < entry->id)
		journal->forgotten = entry->id;
	shelf_free(journal, longest);
	return entry;
}

void journal_add(struct journal *journal, const struct journal_entry *entry, int64_t unix_s)
{
	struct journal_entry *slot =
		journal->n < JOURNAL_ENTRIES ? &journal->entries[journal->n++] : push_out(journal);
	struct shelf *shelf = shelf_of(journal, entry->tenant);

	*slot = *entry;
	slot->id = ++journal->last;
	slot->at_s = unix_s;
	slot->next = NULL;
	*shelf->last = slot;
	shelf->last = &slot->next;
	shelf->n++;
}

/* Where to begin: behind the node's own cursor; without one at the beginning or the end. */
static uint64_t find_cursor(const struct journal *journal, const char *node,
	const Dataplane__ListNetworkEventsRequest *request)
{
	for (size_t i = 0; i < request->n_cursors; i++)
		if (strcmp(request->cursors[i]->node, node) == 0)
			return request->cursors[i]->after;
	return request->from_now ? journal->last : 0;
}

static Dataplane__NetworkEvent *describe(
	const struct journal_entry *entry, const char *node, struct arena *arena)
{
	Dataplane__NetworkEvent *event = arena_alloc(arena, sizeof(*event));
	char at[CLOCK_TEXT_LEN];

	dataplane__network_event__init(event);
	clock_text(entry->at_s, at);
	event->kind = (char *)(uintptr_t)entry->kind;
	event->at = arena_strdup(arena, at);
	event->node = (char *)(uintptr_t)node;
	event->member = arena_strdup(arena, entry->member);
	event->session = arena_strdup(arena, entry->session);
	event->mac = arena_strdup(arena, entry->mac);
	event->other_member = arena_strdup(arena, entry->other_member);
	event->detail = arena_strdup(arena, entry->detail);
	event->untold = entry->n_untold;
	return event;
}

/* Lists from one shelf; `list->last` is the next cursor. */
static void list_shelf(const struct shelf *shelf, uint64_t after, const char *node,
	const char *network, struct arena *arena, Dataplane__NetworkEventList *list)
{
	for (const struct journal_entry *entry = shelf->first; entry; entry = entry->next) {
		if (entry->id <= after || strcmp(entry->network, network) != 0)
			continue;
		if (list->n_items == JOURNAL_LIST_MAX) {
			list->last = entry->id - 1;
			return;
		}
		list->items[list->n_items++] = describe(entry, node, arena);
	}
}

/* A network is in one shelf, that of its tenant. */
static const struct shelf *find_shelf(
	const struct journal *journal, const char *tenant, const char *network)
{
	const struct shelf *shelf;

	if (strcmp(tenant, CALL_FLEET) != 0) {
		HASH_FIND_STR(journal->shelves, tenant, shelf);
		return shelf;
	}
	for (shelf = journal->shelves; shelf; shelf = shelf->hh.next)
		for (const struct journal_entry *entry = shelf->first; entry; entry = entry->next)
			if (strcmp(entry->network, network) == 0)
				return shelf;
	return NULL;
}

void journal_list(const struct journal *journal, const char *tenant, const char *node,
	const Dataplane__ListNetworkEventsRequest *request, struct arena *arena,
	Dataplane__NetworkEventList *list)
{
	const struct shelf *shelf = find_shelf(journal, tenant, request->network);
	uint64_t after = find_cursor(journal, node, request);
	uint64_t forgotten = shelf ? shelf->forgotten : journal->forgotten;

	/* Ids begin again with the process, whose id is the node's; a larger one is made up. */
	if (after > journal->last)
		after = journal->last;
	list->lost = after != 0 && after < forgotten;
	list->last = journal->last;
	list->items = arena_alloc(arena, JOURNAL_LIST_MAX * sizeof(struct journal_entry *));
	if (shelf)
		list_shelf(shelf, after, node, request->network, arena, list);
}
