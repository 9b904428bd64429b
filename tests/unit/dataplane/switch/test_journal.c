/*
 * journal: each network sees its own events once, in order, from where it was, and is told when
 * some were pushed out.
 */
#include "dataplane/switch/journal.h"
#include "lib/call.h"
#include "lib/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define TENANT	"018f0000-0000-7000-8000-0000000000aa"
#define NETWORK "018f0000-0000-7000-8000-000000000001"
#define OTHER	"018f0000-0000-7000-8000-000000000002"
#define NOISY	"018f0000-0000-7000-8000-0000000000ab"
#define NODE	"018f0000-0000-7000-8000-00000000000e"

static struct journal *journal;

static void setup(void)
{
	journal = journal_create();
}

static void teardown(void)
{
	journal_destroy(journal);
}

TestSuite(journal, .init = setup, .fini = teardown);

static void add_of(const char *tenant, const char *network, int number)
{
	struct journal_entry entry = { .kind = "storm" };

	snprintf(entry.tenant, sizeof(entry.tenant), "%s", tenant);
	snprintf(entry.network, sizeof(entry.network), "%s", network);
	snprintf(entry.detail, sizeof(entry.detail), "%d", number);
	journal_add(journal, &entry, 1700000000);
}

static void add(const char *network, int number)
{
	add_of(TENANT, network, number);
}

/* Lists what comes after `after` (-1: no cursor); the details in a row, and the next cursor. */
static const char *list(struct arena *arena, const char *tenant, int64_t after, bool from_now,
	Dataplane__NetworkEventList *found)
{
	Dataplane__ListNetworkEventsRequest request = DATAPLANE__LIST_NETWORK_EVENTS_REQUEST__INIT;
	Dataplane__NetworkCursor cursor = DATAPLANE__NETWORK_CURSOR__INIT;
	Dataplane__NetworkCursor *cursors[] = { &cursor };
	const char *text = "";

	dataplane__network_event_list__init(found);
	request.network = (char *)NETWORK;
	request.from_now = from_now;
	cursor.node = (char *)NODE;
	cursor.after = (uint64_t)after;
	request.cursors = cursors;
	request.n_cursors = after >= 0;
	journal_list(journal, tenant, NODE, &request, arena, found);
	for (size_t i = 0; i < found->n_items; i++)
		text = arena_printf(arena, "%s%s ", text, found->items[i]->detail);
	return text;
}

Test(journal, gives_each_event_of_a_network_once)
{
	Dataplane__NetworkEventList found;
	AUTO_ARENA arena = arena_create();

	add(NETWORK, 1);
	add(OTHER, 2);
	add(NETWORK, 3);
	cr_assert_str_eq(list(arena, TENANT, -1, false, &found), "1 3 ");
	cr_assert_str_eq(found.items[0]->at, "2023-11-14T22:13:20Z");
	cr_assert_str_eq(found.items[0]->node, NODE);
	cr_assert_eq(found.last, 3);
	cr_assert_str_eq(list(arena, TENANT, 1, false, &found), "3 ");
	cr_assert_str_eq(list(arena, TENANT, 3, true, &found), "");
	cr_assert_str_eq(list(arena, TENANT, -1, true, &found), "");
	cr_assert_eq(found.last, 3);
	cr_assert_str_eq(list(arena, TENANT, 99, false, &found), "");
	cr_assert_eq(found.last, 3);
	cr_assert_str_eq(list(arena, OTHER, -1, false, &found), "");
	cr_assert_str_eq(list(arena, CALL_FLEET, -1, false, &found), "1 3 ");
}

Test(journal, tells_when_events_were_pushed_out)
{
	Dataplane__NetworkEventList found;
	AUTO_ARENA arena = arena_create();

	for (int i = 1; i <= JOURNAL_ENTRIES + 10; i++)
		add(i % 100 == 0 ? NETWORK : OTHER, i);
	cr_assert(strstr(list(arena, TENANT, 5, false, &found), "100 200 ") != NULL);
	cr_assert(found.lost);
	list(arena, TENANT, 10, false, &found);
	cr_assert_not(found.lost);
	list(arena, TENANT, -1, false, &found);
	cr_assert_not(found.lost);
}

Test(journal, lets_a_noisy_tenant_push_out_its_own_events_only)
{
	Dataplane__NetworkEventList found;
	AUTO_ARENA arena = arena_create();

	for (int i = 1; i <= 20; i++)
		add(NETWORK, i);
	for (int i = 0; i < 3 * JOURNAL_ENTRIES; i++)
		add_of(NOISY, OTHER, i);
	list(arena, TENANT, 1, false, &found);
	cr_assert_eq(found.n_items, 19);
	cr_assert_not(found.lost);
	add(NETWORK, 21);
	cr_assert_str_eq(list(arena, TENANT, 20, false, &found), "21 ");
	list(arena, CALL_FLEET, 1, false, &found);
	cr_assert_eq(found.n_items, 20);
}

/* With as many tenants as there is room, each keeps what it said last, or is told. */
Test(journal, forgets_whole_tenants_in_the_end)
{
	Dataplane__NetworkEventList found;
	AUTO_ARENA arena = arena_create();
	char tenant[UUID_SIZE];

	add(NETWORK, 1);
	for (int i = 0; i < 2 * JOURNAL_ENTRIES; i++) {
		snprintf(tenant, sizeof(tenant), "018f0000-0000-7000-8000-1000%08d", i);
		add_of(tenant, OTHER, i);
	}
	cr_assert_str_eq(list(arena, TENANT, 1, false, &found), "");
	cr_assert(found.lost);
	add(NETWORK, 2);
	cr_assert_str_eq(list(arena, TENANT, 1, false, &found), "2 ");
	cr_assert(found.lost);
	cr_assert_str_eq(list(arena, TENANT, (int64_t)found.last, false, &found), "");
	cr_assert_not(found.lost);
}

Test(journal, gives_no_more_than_a_page_at_once)
{
	Dataplane__NetworkEventList found;
	AUTO_ARENA arena = arena_create();

	for (int i = 1; i <= JOURNAL_LIST_MAX + 1; i++)
		add(NETWORK, i);
	list(arena, TENANT, -1, false, &found);
	cr_assert_eq(found.n_items, JOURNAL_LIST_MAX);
	cr_assert_eq(found.last, JOURNAL_LIST_MAX);
	list(arena, TENANT, JOURNAL_LIST_MAX, false, &found);
	cr_assert_eq(found.n_items, 1);
}
