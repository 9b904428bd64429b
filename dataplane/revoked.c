/*
 * revoked: a hash by subject; the oldest entries are dropped whenever one is added.
 */
#include "dataplane/revoked.h"

#include "dataplane/hash.h"
#include "lib/mem.h"

#include <stdio.h>

struct entry {
	char subject[64];
	int64_t not_before;
	int64_t added_s;
	UT_hash_handle hh; /* revoked.entries, in the order of added_s */
};

struct revoked {
	struct entry *entries;
};

static void forget(struct revoked *revoked, struct entry *entry)
{
	HASH_DELETE(hh, revoked->entries, entry);
	free(entry);
}

static void forget_old(struct revoked *revoked, int64_t now_s)
{
	while (revoked->entries && revoked->entries->added_s < now_s - REVOKED_KEEP_S)
		forget(revoked, revoked->entries);
}

struct revoked *revoked_create(void)
{
	return xcalloc(1, sizeof(struct revoked));
}

void revoked_destroy(struct revoked *revoked)
{
	if (!revoked)
		return;
	while (revoked->entries)
		forget(revoked, revoked->entries);
	free(revoked);
}

void revoked_add(struct revoked *revoked, const char *subject, int64_t not_before, int64_t now_s)
{
	struct entry *entry;

	forget_old(revoked, now_s);
	HASH_FIND_STR(revoked->entries, subject, entry);
	if (entry) {
		if (entry->not_before > not_before)
			not_before = entry->not_before; /* events may come twice, in any order */
		forget(revoked, entry);
	}
	entry = xcalloc(1, sizeof(*entry));
	snprintf(entry->subject, sizeof(entry->subject), "%s", subject);
	entry->not_before = not_before;
	entry->added_s = now_s;
	HASH_ADD_STR(revoked->entries, subject, entry);
}

bool revoked_has(const struct revoked *revoked, const char *subject, int64_t issued_at)
{
	struct entry *entry;

	HASH_FIND_STR(revoked->entries, subject, entry);
	return entry && issued_at < entry->not_before;
}
