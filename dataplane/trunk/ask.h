/*
 * ask: one question to provision about homes of networks, in a thread of the loop's pool. It is
 * made and answered on the loop.
 */
#pragma once

#include "lib/err.h"
#include "lib/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOME_NAME_SIZE 64

struct dataplane;

struct home {
	char tenant[UUID_SIZE], network[UUID_SIZE];
	char node[UUID_SIZE], name[HOME_NAME_SIZE];
	char before[UUID_SIZE]; /* the node that it was taken from just now; else "" */
	int64_t epoch;
	int64_t until_ms; /* clock_ms(): the lease's end */
};

struct ask_claim {
	char tenant[UUID_SIZE], network[UUID_SIZE];
	char heir[UUID_SIZE], heir_name[HOME_NAME_SIZE]; /* ASK_HAND_OVER: the next home, or "" */
	bool unreachable;
};

enum ask_kind {
	ASK_HOLD,      /* renews and takes what there is to have */
	ASK_LOOK,      /* only looks */
	ASK_HAND_OVER, /* gives them away */
};

struct ask {
	struct dataplane *dataplane;
	void (*done)(void *context, const struct ask *ask);
	void *context;
	enum ask_kind kind;
	int64_t begun_ms;
	size_t n_claims;
	struct ask_claim *claims;

	/* the answer; with an error those homes that came before it */
	err_t err;
	char detail[sizeof(((struct fault *)NULL)->detail)];
	size_t n_homes;
	struct home *homes;
};

/* A question about at most `n` networks. */
struct ask *ask_create(struct dataplane *dataplane, enum ask_kind kind, size_t n,
	void (*done)(void *context, const struct ask *ask), void *context);

/* Adds a network; the claim's rest is the caller's to fill. */
struct ask_claim *ask_add(struct ask *ask, const char *tenant, const char *network);

/* Asks; `done` is called, and the question is gone. */
void ask_send(struct ask *ask);
