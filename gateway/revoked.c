/* revoked: a hash table of fixed width, its chains under one lock that verifying threads share. */
#include "gateway/revoked.h"

#include "lib/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CHAINS 1024

struct entry {
	struct entry *next; /* revoked.chains */
	int64_t not_before;
	char subject[];
};

struct revoked {
	pthread_rwlock_t lock;
	struct entry *chains[CHAINS];
};

struct revoked *revoked_create(void)
{
	struct revoked *revoked = xcalloc(1, sizeof(*revoked));

	pthread_rwlock_init(&revoked->lock, NULL);
	return revoked;
}

void revoked_destroy(struct revoked *revoked)
{
	if (revoked == NULL)
		return;
	revoked_prune(revoked, INT64_MAX);
	pthread_rwlock_destroy(&revoked->lock);
	free(revoked);
}

/* Subjects are ours, from events of auth, so any hash will do (FNV-1a). */
static struct entry **chain_of(struct revoked *revoked, const char *subject)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (const char *c = subject; *c != '\0'; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
	return &revoked->chains[hash % CHAINS];
}

static struct entry *find(struct revoked *revoked, const char *subject)
{
	struct entry *entry = *chain_of(revoked, subject);

	while (entry != NULL && strcmp(entry->subject, subject) != 0)
		entry = entry->next;
	return entry;
}

void revoked_add(struct revoked *revoked, const char *subject, int64_t not_before)
{
	size_t size = strlen(subject) + 1;
	struct entry **chain = chain_of(revoked, subject);
	struct entry *entry;

	pthread_rwlock_wrlock(&revoked->lock);
	if ((entry = find(revoked, subject)) == NULL) {
		entry = xcalloc(1, sizeof(*entry) + size);
		memcpy(entry->subject, subject, size);
		entry->next = *chain;
		*chain = entry;
	}
	if (entry->not_before < not_before)
		entry->not_before = not_before;
	pthread_rwlock_unlock(&revoked->lock);
}

bool revoked_has(struct revoked *revoked, const char *subject, int64_t issued_at)
{
	const struct entry *entry;
	bool has;

	pthread_rwlock_rdlock(&revoked->lock);
	entry = find(revoked, subject);
	has = entry != NULL && issued_at < entry->not_before;
	pthread_rwlock_unlock(&revoked->lock);
	return has;
}

static void chain_prune(struct entry **slot, int64_t before)
{
	struct entry *entry;

	while ((entry = *slot) != NULL) {
		if (entry->not_before >= before) {
			slot = &entry->next;
			continue;
		}
		*slot = entry->next;
		free(entry);
	}
}

void revoked_prune(struct revoked *revoked, int64_t before)
{
	pthread_rwlock_wrlock(&revoked->lock);
	for (size_t i = 0; i < CHAINS; i++)
		chain_prune(&revoked->chains[i], before);
	pthread_rwlock_unlock(&revoked->lock);
}
