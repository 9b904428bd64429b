/*
 * guest: a client that waits for the other client with its token and nonce, and is joined with it.
 * Who it is was found out before (admit, nymea's authenticators); here it is claimed at rendezvous,
 * again and again while it waits, and met. The loop's thread.
 */
#pragma once

#include "dataplane/relay/keepalive.h"
#include "dataplane/relay/relay.h"
#include "lib/err.h"
#include "lib/hash.h"

#include <stdbool.h>
#include <stdint.h>

#define GUEST_NONCE_MAX 128
#define GUEST_TEXT_MAX	256

struct dataplane;
struct guest;

/* What the kinds of clients do at the turns of a guest's life. */
struct guest_hooks {
	/* The claim was granted; nobody else is there yet. */
	void (*waits)(struct guest *guest);
	/* It is joined with the other one, from whom nothing was read yet; who waited is told
	 * first. */
	void (*met)(struct guest *guest, const char *name, const char *uuid);
	/* The other one says it is the same. */
	void (*met_itself)(struct guest *guest);
	/* The claim was not granted: ERR_ALREADY_EXISTS is a third client. */
	void (*refused)(struct guest *guest, err_t err, const char *detail);
	void (*ended)(struct guest *guest, enum ws_status code, const char *reason); /* by others */
};

enum guest_state { GUEST_CLAIMING, GUEST_WAITING, GUEST_MET, GUEST_OVER };

struct guest {
	struct relay_end relay;
	struct guests *guests;
	const struct guest_hooks *hooks;
	enum guest_state state;
	/* who it is: set before guest_arrive */
	char tenant[UUID_SIZE];
	char subject[64];
	char token_id[72];
	char nonce[GUEST_NONCE_MAX + 1];
	char *name, *uuid; /* as it said; NULL: it has none. Freed by guest_closed */
	char *user;	   /* whose it is, for the monitor; NULL: not known */
	int64_t issued_at; /* of its token; 0: it has none that ends */
	bool patient;	   /* claims again while rendezvous can't be asked */
	/* guest.c's own */
	char pair[UUID_SIZE]; /* "" until the claim was granted */
	uint64_t rx_before;   /* bytes that came before it was met */
	uint64_t counted;     /* of those that came since, what rendezvous was told at last */
	unsigned n_claims;    /* in vain */
	unsigned turn;	      /* which ticks of the timer are its own */
	bool again;	      /* a claim is to be made again */
	struct keepalive alive;
	UT_hash_handle hh; /* guests.by_id */
};

struct guests;

struct guests *guests_create(struct dataplane *dataplane);

/* Ends its timer, on the loop. */
void guests_close(struct guests *guests);
void guests_destroy(struct guests *guests); /* all must be gone; NULL is fine */

/* Begins to look for its partner. The relay's end is made already. */
void guest_arrive(struct guests *guests, struct guest *guest);

/* From the relay hook `closed`: lets go of all that guest.c holds. */
void guest_closed(struct guest *guest);

/* The guest with that connection id; NULL if it is gone. */
struct guest *guest_find(struct guests *guests, const char *connection);

/* The node that it is on. */
struct dataplane *guest_dataplane(const struct guest *guest);

/* ---- what claim.c and link.c find out ---- */

void guest_wait(struct guest *guest, const char *pair);
void guest_meet_here(struct guest *guest, const char *pair, const char *partner);

/* Joined with `far`, an end that stands for a client elsewhere. */
void guest_meet_far(struct guest *guest, struct relay_end *far, const char *name, const char *uuid);

/* Its partner was not to be had: the claim is made anew. */
void guest_claim_again(struct guest *guest);
void guest_refuse(struct guest *guest, err_t err, const char *detail);

/* ---- what others decide ---- */

void guests_end_pair(struct guests *guests, const char *pair);
void guests_end_subject(struct guests *guests, const char *subject, int64_t not_before);

/* Calls `each` with all guests. */
void guests_each(struct guests *guests, void (*each)(struct guest *guest, void *arg), void *arg);
