/*
 * journal: entries by id modulo the size of the ring.
 */
#include "dataplane/switch/journal.h"

#include "lib/call.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <string.h>

struct journal {
	uint64_t last; /* the newest id; 0: there is none */
	struct journal_entry entries[JOURNAL_ENTRIES];
};

struct journal *journal_create(void)
{
	return xcalloc(1, sizeof(struct journal));
}

void journal_destroy(struct journal *journal)
{
	free(journal);
}

void journal_add(struct journal *journal, const struct journal_entry *entry, int64_t unix_s)
{
	struct journal_entry *slot = &journal->entries[++journal->last % JOURNAL_ENTRIES];

	*slot = *entry;
	slot->id = journal->last;
	slot->at_s = unix_s;
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

void journal_list(const struct journal *journal, const char *tenant, const char *node,
	const Dataplane__ListNetworkEventsRequest *request, struct arena *arena,
	Dataplane__NetworkEventList *list)
{
	uint64_t after = find_cursor(journal, node, request);
	uint64_t oldest = journal->last > JOURNAL_ENTRIES ? journal->last - JOURNAL_ENTRIES + 1 : 1;

	/* Ids begin again with the process, whose id is the node's; a larger one is made up. */
	if (after > journal->last)
		after = journal->last;
	list->lost = after != 0 && after + 1 < oldest;
	if (after + 1 < oldest)
		after = oldest - 1;
	list->items = arena_alloc(arena, JOURNAL_LIST_MAX * sizeof(struct journal_entry *));
	while (after < journal->last && list->n_items < JOURNAL_LIST_MAX) {
		const struct journal_entry *entry = &journal->entries[++after % JOURNAL_ENTRIES];

		if (strcmp(entry->network, request->network) == 0 &&
			(strcmp(tenant, CALL_FLEET) == 0 || strcmp(tenant, entry->tenant) == 0))
			list->items[list->n_items++] = describe(entry, node, arena);
	}
	list->last = after;
}
