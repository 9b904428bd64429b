/* revoked: a hash table by subject; threads that verify share its lock. */
#include "lib/revoked.h"

#include "lib/hash.h"
#include "lib/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TENANT	      "tenant:"
#define MEMBER	      "member:"
#define AUTHORIZATION "authorization:"

struct entry {
	UT_hash_handle hh; /* revoked.entries */
	int64_t not_before;
	char subject[];
};

struct revoked {
	pthread_rwlock_t lock;
	struct entry *entries;
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

static struct entry *entry_add(struct revoked *revoked, const char *subject)
{
	size_t size = strlen(subject) + 1;
	struct entry *entry = xcalloc(1, sizeof(*entry) + size);

	memcpy(entry->subject, subject, size);
	HASH_ADD_KEYPTR(hh, revoked->entries, entry->subject, size - 1, entry);
	return entry;
}

void revoked_add(struct revoked *revoked, const char *subject, int64_t not_before)
{
	struct entry *entry;

	pthread_rwlock_wrlock(&revoked->lock);
	HASH_FIND_STR(revoked->entries, subject, entry);
	if (entry == NULL)
		entry = entry_add(revoked, subject);
	if (entry->not_before < not_before) /* events may come twice, in any order */
		entry->not_before = not_before;
	pthread_rwlock_unlock(&revoked->lock);
}

bool revoked_has(struct revoked *revoked, const char *subject, int64_t issued_at)
{
	const struct entry *entry;
	bool has;

	pthread_rwlock_rdlock(&revoked->lock);
	HASH_FIND_STR(revoked->entries, subject, entry);
	has = entry != NULL && issued_at < entry->not_before;
	pthread_rwlock_unlock(&revoked->lock);
	return has;
}

bool revoked_has_token(struct revoked *revoked, const struct token_claims *claims)
{
	char tenant[sizeof(TENANT) + sizeof(claims->tenant)];
	char member[sizeof(MEMBER) + sizeof(claims->member)];
	char authorization[sizeof(AUTHORIZATION) + sizeof(claims->authorization)];

	snprintf(tenant, sizeof(tenant), TENANT "%s", claims->tenant);
	snprintf(member, sizeof(member), MEMBER "%s", claims->member);
	snprintf(authorization, sizeof(authorization), AUTHORIZATION "%s", claims->authorization);
	return revoked_has(revoked, claims->subject, claims->issued_at) ||
	       revoked_has(revoked, tenant, claims->issued_at) ||
	       revoked_has(revoked, member, claims->issued_at) ||
	       revoked_has(revoked, authorization, claims->issued_at);
}

bool revoked_means(const char *name, const char *subject, const char *tenant)
{
	return strcmp(name, subject) == 0 || (strncmp(name, TENANT, strlen(TENANT)) == 0 &&
						     strcmp(name + strlen(TENANT), tenant) == 0);
}

void revoked_prune(struct revoked *revoked, int64_t before)
{
	struct entry *entry, *next;

	pthread_rwlock_wrlock(&revoked->lock);
	HASH_ITER(hh, revoked->entries, entry, next)
	{
		if (entry->not_before >= before)
			continue;
		HASH_DEL(revoked->entries, entry);
		free(entry);
	}
	pthread_rwlock_unlock(&revoked->lock);
}
