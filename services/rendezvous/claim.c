/* claim: the decision about a claim. Any thread; touches nothing. */
#include "services/rendezvous/claim.h"

#include <string.h>

static bool same_end(const struct claim_end *a, const struct claim_end *b)
{
	return strcmp(a->node, b->node) == 0 && strcmp(a->connection, b->connection) == 0;
}

enum claim_verdict claim_judge(const struct claim_pair *pair, const struct claim_end *end)
{
	if (same_end(&pair->first, end))
		return CLAIM_FIRST;
	if (pair->joined && same_end(&pair->second, end))
		return CLAIM_SECOND;
	if (pair->stale)
		return CLAIM_REPLACE;
	return pair->joined ? CLAIM_REFUSE : CLAIM_JOINS;
}
