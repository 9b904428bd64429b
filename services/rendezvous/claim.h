/*
 * claim: what a claim of a token and nonce means, given the live pair that there may be already.
 * Pure: the rows come from store.c, claims.c acts on the verdict.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

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

/* A token and nonce that claims of one batch are of, and what becomes of its pair. */
struct claim_spot {
	const char *token_id, *nonce;
	struct claim_pair *pair; /* NULL: there is none */
	long token_room;	 /* further live pairs that the token may have */
	const char *ended;	 /* id of a stale pair that made room for this one; or NULL */
	bool is_new;		 /* the pair is still to be added */
	bool joins;		 /* the pair has got its second client */
	bool announces;		 /* its first client is still there */
	bool lost;		 /* it was not added: another batch was faster */
};

/* Sorts them by token and nonce, and leaves one of each; returns how many that are. */
size_t claim_spots_sort(struct claim_spot *spots, size_t n);

/* One of sorted spots. */
struct claim_spot *claim_spot_find(
	struct claim_spot *spots, size_t n, const char *token_id, const char *nonce);
