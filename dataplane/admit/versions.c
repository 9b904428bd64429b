/*
 * versions: a hash by id. UUIDs of members and networks never meet.
 */
#include "dataplane/admit/versions.h"

#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/uuid.h"

#include <stdio.h>

#define KEEP_S 3600

struct entry {
	char id[UUID_SIZE];
	int64_t version;
	int64_t told_s;
	UT_hash_handle hh; /* versions.entries */
};

struct versions {
	struct entry *entries; /* those that were told first come first */
};

static void drop(struct versions *versions, struct entry *entry)
{
	HASH_DELETE(hh, versions->entries, entry);
	free(entry);
}

struct versions *versions_create(void)
{
	return xcalloc(1, sizeof(struct versions));
}

void versions_destroy(struct versions *versions)
{
	if (!versions)
		return;
	while (versions->entries)
		drop(versions, versions->entries);
	free(versions);
}

void versions_add(struct versions *versions, const char *id, int64_t version, int64_t now_s)
{
	struct entry *entry;

	while (versions->entries && versions->entries->told_s < now_s - KEEP_S)
		drop(versions, versions->entries);
	HASH_FIND_STR(versions->entries, id, entry);
	if (entry) { /* to the end, and events may come twice, in any order */
		version = version > entry->version ? version : entry->version;
		drop(versions, entry);
	}
	entry = xcalloc(1, sizeof(*entry));
	snprintf(entry->id, sizeof(entry->id), "%s", id);
	entry->version = version;
	entry->told_s = now_s;
	HASH_ADD_STR(versions->entries, id, entry);
}

static bool is_earlier(const struct versions *versions, const char *id, int64_t version)
{
	const struct entry *entry;

	HASH_FIND_STR(versions->entries, id, entry);
	return entry && version < entry->version;
}

bool versions_refuse(const struct versions *versions, const struct token_claims *claims)
{
	return is_earlier(versions, claims->member, claims->policy_version) ||
	       is_earlier(versions, claims->network, claims->network_version);
}
