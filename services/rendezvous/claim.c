/* claim: the decision about a claim. Any thread; touches nothing. */
#include "services/rendezvous/claim.h"

#include <stdlib.h>
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

static int compare_spots(const void *a, const void *b)
{
	const struct claim_spot *one = a, *other = b;
	int order = strcmp(one->token_id, other->token_id);

	return order != 0 ? order : strcmp(one->nonce, other->nonce);
}

size_t claim_spots_sort(struct claim_spot *spots, size_t n)
{
	size_t kept = 0;

	qsort(spots, n, sizeof(*spots), compare_spots);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || compare_spots(&spots[kept - 1], &spots[i]) != 0)
			spots[kept++] = spots[i];
	return kept;
}

struct claim_spot *claim_spot_find(
	struct claim_spot *spots, size_t n, const char *token_id, const char *nonce)
{
	const struct claim_spot key = { .token_id = token_id, .nonce = nonce };

	return bsearch(&key, spots, n, sizeof(key), compare_spots);
}
