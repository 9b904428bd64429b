/*
 * session_struct: what a session is, for session.c, where it lives, and session_list.c, which shows
 * it; the outside sees session.h only.
 */
#pragma once

#include "dataplane/switch/intake.h"
#include "dataplane/switch/journal.h"
#include "dataplane/switch/outlet.h"
#include "dataplane/switch/pace.h"
#include "dataplane/switch/session.h"
#include "dataplane/switch/switch.h"
#include "lib/hash.h"
#include "lib/uuid.h"

#include <string.h>

struct session {
	struct port port; /* first: what the switch gives back is the session */
	struct sessions *sessions;
	struct channel *channel;
	const char *id;	 /* the connection's */
	uint32_t number; /* see session_view */
	char *token;	 /* that it was admitted by; "" without */
	char *user, *dn; /* by the proxy; NULL: there is none */
	char tenant[UUID_SIZE];
	char network[UUID_SIZE];
	char subject[64];
	int64_t issued_at; /* of the token */
	int64_t policy_version;
	struct switch_rules rules; /* of the network, as the token has them */
	int64_t started_at;
	struct intake intake;
	struct outlet outlet;
	uint32_t move_ms; /* that it is asked to move within, and was not told yet; 0: not */
	bool woken;	  /* will be asked to fill */
	bool lingers;	  /* what waits is not urgent, and leaves when the timer says */
	uint64_t rx_frames, rx_bytes;
	uint64_t drops[DROP_N];
	uint64_t dropped_segments; /* of frames to the member that went on without them */
	UT_hash_handle hh;	   /* sessions.by_id */
};

struct sessions {
	struct switch_ctx *ctx;
	struct journal *journal;
	struct session *by_id;
	uint32_t last_number;
	uint64_t seed;	  /* of flow_hash */
	uint64_t now_us;  /* of the message that is being forwarded */
	struct pace pace; /* of frames to many */
	unsigned silence_ms;
	void (*watch)(void *context, const char *tenant, const char *network, int by); /* or NULL */
	void *watch_context;
};

static inline bool session_is_live(const struct session *session)
{
	return session->port.domain != NULL;
}

static inline bool session_is_in(
	const struct session *session, const char *tenant, const char *network)
{
	return session_is_live(session) && strcmp(session->tenant, tenant) == 0 &&
	       strcmp(session->network, network) == 0;
}

static inline uint64_t session_count_drops(const struct session *session)
{
	uint64_t n = 0;

	for (size_t why = 0; why < DROP_N; why++)
		n += session->drops[why];
	return n;
}
