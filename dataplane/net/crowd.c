/* crowd: a hash of counts; an address is there while its count is not 0. */
#include "dataplane/net/crowd.h"

#include "dataplane/net/stream.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <stdio.h>
#include <string.h>

struct crowd_address {
	char address[STREAM_ADDRESS_LEN];
	long n;
	UT_hash_handle hh; /* crowd.by_address */
};

static struct crowd_address *find(const struct crowd *crowd, const char *address)
{
	struct crowd_address *found;

	HASH_FIND_STR(crowd->by_address, address, found);
	return found;
}

bool crowd_has_room(const struct crowd *crowd, const char *address, long limit)
{
	const struct crowd_address *found = find(crowd, address);

	return !found || found->n < limit || strcmp(address, "unix") == 0;
}

void crowd_enter(struct crowd *crowd, const char *address)
{
	struct crowd_address *found = find(crowd, address);

	if (!found) {
		found = xcalloc(1, sizeof(*found));
		snprintf(found->address, sizeof(found->address), "%s", address);
		HASH_ADD_STR(crowd->by_address, address, found);
	}
	found->n++;
}

void crowd_leave(struct crowd *crowd, const char *address)
{
	struct crowd_address *found = find(crowd, address);

	if (!found)
		BUG("nobody came from %s", address);
	if (--found->n > 0)
		return;
	HASH_DELETE(hh, crowd->by_address, found);
	free(found);
}
