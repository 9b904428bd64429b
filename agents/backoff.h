/*
 * backoff: when to try again, and what first, after a session ended or an attempt failed. Pure
 * functions over a few numbers, so that tables test them; agent.c acts on them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BACKOFF_FIRST_MS 200
#define BACKOFF_LIMIT_MS 30000
#define BACKOFF_GOOD_MS	 5000 /* a session that lasted so long was a good one */

#define KEEPALIVE_PING_MS 10000 /* silence after which the peer is pinged */
#define KEEPALIVE_DEAD_MS 30000 /* ... after which it is taken for dead */

/* How an attempt or a session ended. */
struct ending {
	enum {
		END_UNREACHABLE, /* no connection, no TLS, or no proper answer to the handshake */
		END_REFUSED,	 /* the handshake was answered with `status` of HTTP */
		END_LOST,	 /* the session broke: error, silence, end of stream */
		END_CLOSED,	 /* the session was closed by the peer with `status` of WebSocket */
	} how;
	unsigned status;
	int64_t lasted_ms; /* since the session was open; 0: it never was */
};

/* What the agent remembers from one attempt to the next; all zero at start. */
struct backoff {
	unsigned failures; /* in a row */
	unsigned url;	   /* which one to try next */
};

struct plan {
	int64_t delay_ms;
	bool attach; /* get a new access token first */
};

/* The delay after `failures` in a row: doubling, half of it random. */
int64_t backoff_delay_ms(unsigned failures, uint32_t random);

/* Counts the ending and plans what follows, with `n_urls` to choose from. */
struct plan backoff_plan(
	struct backoff *backoff, const struct ending *ending, unsigned n_urls, uint32_t random);

/* Counts an attachment that failed; when to ask again. */
int64_t backoff_retry_ms(struct backoff *backoff, uint32_t random);

/* When to get the next access token while this one, good for `lifetime_ms`, is in use: in time for
 * a reconnection at its end, never at the same moment as all other devices. */
int64_t backoff_refresh_ms(int64_t lifetime_ms, uint32_t random);

enum keepalive { KEEPALIVE_WAIT, KEEPALIVE_PING, KEEPALIVE_DEAD };

/* What to do about the peer, heard last at `heard_ms` and pinged last at `pinged_ms`; `answers`: it
 * is known to answer pings, so its silence means something. `next_ms` is when to look again. */
enum keepalive keepalive_look(
	int64_t now_ms, int64_t heard_ms, int64_t pinged_ms, bool answers, int64_t *next_ms);
