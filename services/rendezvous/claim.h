/*
 * claim: what a claim of a token and nonce means, given the live pair that there may be already.
 * Pure: the rows come from store.c, rendezvous.c acts on the verdict.
 */
#pragma once

#include <stdbool.h>

/* A client's connection: the node that holds it, and its name there. */
struct claim_end {
	const char *node;
	const char *connection;
};

/* The live pair of a token and nonce; all text is borrowed. */
struct claim_pair {
	const char *id;
	bool joined; /* else waiting: `second` is empty */
	bool stale;  /* waited too long, or a node of it is gone */
	struct claim_end first, second;
};

enum claim_verdict {
	CLAIM_FIRST,   /* is the first of the two already: the peer is `second`, or it waits on */
	CLAIM_SECOND,  /* is the second of the two already: the peer is `first` */
	CLAIM_JOINS,   /* becomes the second */
	CLAIM_REPLACE, /* the pair is of the past: it ends, and the claim waits as a new first */
	CLAIM_REFUSE,  /* a third client */
};

/* What the claim of `end` is to `pair`. */
enum claim_verdict claim_judge(const struct claim_pair *pair, const struct claim_end *end);
