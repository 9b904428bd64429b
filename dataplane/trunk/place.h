/*
 * place: where one network is at home, as the files here share it: places.c is what is known of all
 * of them, handover.c how a node that stops gives them away. The loop's thread.
 */
#pragma once

#include "dataplane/trunk/places.h"
#include "dataplane/trunk/trunk.h"

struct place_key {
	char tenant[UUID_SIZE], network[UUID_SIZE];
};

struct place {
	struct place_key key;
	unsigned n_sessions, n_seats;
	enum { PLACE_UNKNOWN, PLACE_HOME, PLACE_AWAY } role;
	char node[UUID_SIZE], name[HOME_NAME_SIZE]; /* the home */
	char before[UUID_SIZE]; /* PLACE_HOME: who has to hear of it still, or "" */
	int64_t epoch;
	int64_t changed_ms; /* the home's becoming it, as far as is known */
	int64_t until_ms;   /* PLACE_HOME: the lease's end */
	bool unreachable;   /* PLACE_AWAY: the home is, from here */
	bool urgent;	    /* to be asked for before the next renewal */
	bool told;	    /* that its lease can't be renewed */
	bool left;	    /* PLACE_HOME: was handed over to whoever asks next */
	TAILQ_HEAD(home_wait_list, home_wait) waits;
	UT_hash_handle hh; /* places.by_key */
};

struct places {
	struct trunks *trunks;
	struct place *by_key;
	bool asking;
	bool draining;
	bool handing;	  /* homes over */
	int64_t asked_ms; /* when all were, last */
};

static inline struct dataplane *places_dataplane(const struct places *places)
{
	return places->trunks->dataplane;
}

/* NULL: nobody has asked for the network. */
struct place *places_find(struct places *places, const char *tenant, const char *network);

/* The same for what was asked about; NULL, too, when something newer was heard meanwhile from
 * another node. */
struct place *places_find_asked(
	struct places *places, const struct ask *ask, const char *tenant, const char *network);

/* The home is this one from now on: all that follows from it. */
void places_set_role(struct places *places, struct place *place, const struct home *home);

/* Was given away by this node, and is nobody's yet? */
bool places_is_left(const struct places *places, const struct home *home);

/* Gives away what this node still has, also when it was asked before: the answer may have been
 * lost. */
void places_hand_over(struct places *places);
